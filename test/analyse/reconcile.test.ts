import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconcile } from '../../src/analyse/reconcile.ts'
import { makeDump, MiB, rssStatus, type DumpFacts } from './make-dump.ts'

const row = (kind: 'executable' | 'file' | 'stack', rssBytes: number) =>
  ({ kind, path: '/x', mappings: 1, rssBytes, swapBytes: 0 }) as const
const malloc = { inUseBytes: 20 * MiB, freeBytes: 30 * MiB, mmappedBytes: 0, arenaBytes: 50 * MiB }

const cases: Readonly<Record<string, DumpFacts>> = {
  'nothing is known': { census: null },
  'the kernel has split it': { status: rssStatus(250 * MiB, 40 * MiB, 10 * MiB) },
  'the map is there too': {
    status: rssStatus(250 * MiB, 40 * MiB, 10 * MiB),
    map: [row('executable', 30 * MiB), row('file', 10 * MiB), row('stack', 12_288)],
    census: { malloc },
  },
  'the parts are more than the whole': {
    status: rssStatus(999 * MiB, 999 * MiB, 5 * MiB),
    census: { malloc },
  },
  'more objects than resident memory': { census: { bytes: 900 * MiB, malloc } },
  'the figures are nonsense': { rssBytes: 0, status: { RssAnon: '-5 kB', RssFile: 'many', RssShmem: '' } },
}
for (const [what, facts] of Object.entries(cases)) {
  test(`the rows add up to RSS exactly and none is negative when ${what}`, () => {
    const { rows, rssBytes } = reconcile(makeDump(facts))
    assert.equal(rssBytes, facts.rssBytes ?? 300 * MiB)
    assert.equal(
      rows.reduce((sum, { bytes }) => sum + bytes, 0),
      rssBytes,
    )
    assert.deepEqual(
      rows.filter(({ bytes }) => bytes <= 0),
      [],
    )
  })
}

test('each part is named and has its size', () => {
  const { rows } = reconcile(
    makeDump({
      status: rssStatus(240 * MiB, 40 * MiB, 10 * MiB),
      map: [row('executable', 30 * MiB), row('file', 10 * MiB), row('stack', 5 * MiB)],
      census: { bytes: 180 * MiB, malloc },
    }),
  )
  assert.deepEqual(
    rows.map(({ what, bytes }) => `${what}: ${bytes / MiB}`),
    [
      'Python objects: 180',
      'mapped files: programs and libraries: 30',
      'free memory that malloc keeps: 30',
      'other anonymous memory: native code, allocator overhead: 25',
      'shared memory: 10',
      'mapped files: data: 10',
      'not accounted for: 10',
      'stacks of threads: 5',
    ],
  )
})
