import assert from 'node:assert/strict'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDump } from '../../src/store/partial-dump.ts'
import { prepareStore } from '../../src/store/prepare-store.ts'
import { cleanLeftovers, sweepStore } from '../../src/store/sweep.ts'
import { readWriterKey } from '../../src/store/writer.ts'
import { addDump, makeStore } from './make-store.ts'

const nowMs = Date.parse('2026-11-21T12:00:00Z')
const at = (hour: string): { started_at: string } => ({ started_at: `2026-11-21T${hour}:00:00.000Z` })

test('a sweep drops what is beyond the limits, broken dumps too, and nothing that is foreign', async (context) => {
  const store = await makeStore(context)
  const old = await addDump(store, at('09'))
  const broken = await addDump(store, at('10'))
  await addDump(store, at('11'))
  await writeFile(join(broken.path, 'dump.json'), 'x')
  await mkdir(join(store.dir, 'api', 'notes'))
  const { removed, problems } = await sweepStore(store.dir, { perTarget: 1 }, nowMs)
  assert.deepEqual(
    removed.map(({ id }) => id),
    [old.id, broken.id],
  )
  assert.ok((removed[0]?.bytes ?? 0) > 500)
  assert.deepEqual(problems, [])
  assert.deepEqual((await readdir(join(store.dir, 'api'))).toSorted(), [
    '20261121T110000Z-4242-rss-high',
    'notes',
  ])
})

test('leftovers of dead writers go, those of a living one, foreign names and links stay', async (context) => {
  const store = await makeStore(context)
  const living = await openDump(store, 'api', { at: '2026-11-21T11:00:00Z', pid: 1, rule: 'living' })
  assert.equal(living.kind, 'partial')
  const key = (await readWriterKey('/proc', process.pid)) ?? ''
  const dead = {
    'no-writer': undefined,
    'reused-pid': key.replace(/\d+$/, '1'),
    'other-boot': key.replace(/^[^:]+/, 'b0'),
    hostile: '../../etc:1:1',
  }
  for (const [rule, writer] of Object.entries(dead)) {
    const path = join(store.dir, 'api', `20261121T110000Z-1-${rule}.partial`)
    await mkdir(path)
    if (writer !== undefined) await writeFile(join(path, '.writer'), writer)
  }
  await mkdir(join(store.dir, 'api', 'mine.partial'))
  await symlink('/tmp', join(store.dir, 'api', '20261121T110000Z-1-link.partial'))
  const { removed, problems } = await cleanLeftovers(store)
  assert.deepEqual([removed.length, problems.length], [4, 0])
  assert.deepEqual((await readdir(join(store.dir, 'api'))).toSorted(), [
    '20261121T110000Z-1-link.partial',
    '20261121T110000Z-1-living.partial',
    'mine.partial',
  ])
})

test('a store that is not there is made at start, a link to one is taken as it is', async (context) => {
  const store = await makeStore(context)
  const dir = join(store.dir, 'var', 'pyheap')
  assert.equal(await prepareStore({ ...store, dir }), undefined)
  await symlink(dir, join(store.dir, 'link'))
  assert.equal(await prepareStore({ ...store, dir: join(store.dir, 'link') }), undefined)
  await writeFile(join(store.dir, 'file'), '')
  const failed = await prepareStore({ ...store, dir: join(store.dir, 'file') })
  assert.equal(failed?.kind, 'failed')
})
