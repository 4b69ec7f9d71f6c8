import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DumpManifest } from '../../src/model.ts'
import { chooseDump, resolveDump } from '../../src/store/resolve-dump.ts'
import { makeManifest } from './make-manifest.ts'
import { addDump, makeStore } from './make-store.ts'

const entry = (id: string, pid: number): { id: string; path: string; manifest: DumpManifest } => ({
  id,
  path: `/store/${id}`,
  manifest: { ...makeManifest({ process: { ...makeManifest().process, pid } }), files: [] },
})
const dumps = [
  entry('web/20261121T120000Z-7-rss', 7),
  entry('api/20261121T120000Z-42-rss', 42),
  entry('api/20261121T110000Z-7-rss', 7),
]

const cases: readonly (readonly [string, string, string | readonly string[]])[] = [
  ['latest is the newest of all', 'latest', 'web/20261121T120000Z-7-rss'],
  ['an id is that dump', 'api/20261121T110000Z-7-rss', 'api/20261121T110000Z-7-rss'],
  ['a target is its newest', 'api', 'api/20261121T120000Z-42-rss'],
  ['a pid is its newest', '7', 'web/20261121T120000Z-7-rss'],
  ['a bare name is that dump', '20261121T110000Z-7-rss', 'api/20261121T110000Z-7-rss'],
  ['the beginning of an id is enough', 'api/20261121T11', 'api/20261121T110000Z-7-rss'],
  ['a name that fits two is ambiguous', '20261121T12', [dumps[0]?.id ?? '', dumps[1]?.id ?? '']],
]
for (const [rule, argument, expected] of cases) {
  test(rule, () => {
    const found = chooseDump(dumps, argument)
    if (found.kind === 'found') assert.equal(found.dump.id, expected)
    else assert.deepEqual(found.kind === 'ambiguous' && found.ids, expected)
  })
}

test('a name nearly right is answered with the right one', () => {
  const found = chooseDump(dumps, 'wbe')
  assert.deepEqual(found.kind === 'not-found' && found.near, ['web'])
})

test('a name far from all is answered with none', () => {
  const found = chooseDump(dumps, 'x'.repeat(100_000))
  assert.deepEqual(found.kind === 'not-found' && found.near, [])
})

test('a path is a dump wherever it lies, but not an unfinished one', async (context) => {
  const store = await makeStore(context)
  const { path, id } = await addDump(store)
  for (const argument of [path, `${path}/`, join(path, 'dump.json')]) {
    const found = await resolveDump('/nowhere', argument)
    assert.equal(found.kind === 'found' && found.dump.id, id, argument)
  }
  await mkdir(`${path}.partial`)
  assert.equal((await resolveDump(store.dir, `${path}.partial`)).kind, 'not-found')
  assert.equal((await resolveDump(store.dir, store.dir)).kind, 'not-found')
})
