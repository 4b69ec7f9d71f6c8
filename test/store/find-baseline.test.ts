import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DumpManifest } from '../../src/model.ts'
import { findBaseline } from '../../src/store/find-baseline.ts'
import { makeManifest } from './make-manifest.ts'

const entry = (
  id: string,
  given: Partial<DumpManifest>,
): { readonly id: string; readonly manifest: DumpManifest } => ({
  id,
  manifest: {
    ...makeManifest(),
    files: [{ name: 'census.json', bytes: 2, sha256: '0'.repeat(64) }],
    ...given,
  },
})

const at = (minute: number): Partial<DumpManifest> => ({ started_at: `2026-11-21T10:${minute}:00.000Z` })
const dump = entry('now', at(30))
const { process } = dump.manifest

test('the newest earlier dump of the same process is the baseline', () => {
  const found = findBaseline(dump, [
    entry('old', at(10)),
    entry('newer', at(20)),
    dump,
    entry('later', at(40)),
  ])
  assert.equal(found?.id, 'newer')
})

const unfit: readonly (readonly [string, Partial<DumpManifest>])[] = [
  ['another pid', { process: { ...process, pid: 1 } }],
  ['the same pid with another start', { process: { ...process, start_ticks: 1 } }],
  ['the same pid of another boot', { process: { ...process, boot_id: 'other' } }],
  ['a dump without census', { files: [] }],
]
for (const [what, given] of unfit) {
  test(`${what} is no baseline`, () => {
    assert.equal(findBaseline(dump, [entry('x', { ...at(10), ...given })]), undefined)
  })
}
