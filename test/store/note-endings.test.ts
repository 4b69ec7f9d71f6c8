import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Ending } from '../../src/model.ts'
import { noteEndings } from '../../src/store/note-endings.ts'
import { listDumps, readDump } from '../../src/store/read-dumps.ts'
import { verifyDump } from '../../src/store/verify-dump.ts'
import { addDump, makeStore } from './make-store.ts'
import { makeManifest } from './make-manifest.ts'

const { process } = makeManifest()
const ending: Ending = {
  process: { bootId: process.boot_id, pid: process.pid, startTicks: process.start_ticks },
  how: 'oom-killed',
  at: '2026-11-21T23:22:01.500Z',
  oom: {
    pid: 4242,
    name: 'python3',
    within: 'cgroup',
    virtualBytes: 4,
    anonBytes: 3,
    fileBytes: 2,
    shmemBytes: 1,
  },
}

test('an ending stands beside every dump of the process, and beside no other', async (context) => {
  const store = await makeStore(context)
  await addDump(store, { started_at: '2026-11-21T10:00:00.000Z', rule: 'first' })
  await addDump(store, { started_at: '2026-11-21T11:00:00.000Z', rule: 'second', target: 'web' })
  await addDump(store, { rule: 'earlier-boot', process: { ...process, boot_id: 'other' } })
  await addDump(store, { rule: 'other-pid', process: { ...process, pid: 7 } })
  assert.deepEqual(await noteEndings(store, [ending]), [])
  const { dumps } = await listDumps(store.dir)
  const noted = dumps.filter((dump) => dump.ending !== undefined)
  assert.deepEqual(noted.map(({ manifest }) => manifest.rule).toSorted(), ['first', 'second'])
  const [dump] = noted
  assert.ok(dump)
  const read = await readDump(dump.path)
  assert.deepEqual(read.kind === 'read' && read.dump.ending, ending)
  assert.deepEqual(await verifyDump(dump.path), { kind: 'verified', problems: [] })
})

test('one that was noted before is replaced, and leftovers of a crash are no obstacle', async (context) => {
  const store = await makeStore(context)
  const { path } = await addDump(store)
  await writeFile(join(path, 'ending.json.new'), 'half')
  await noteEndings(store, [{ ...ending, how: 'ended' }])
  await noteEndings(store, [ending])
  assert.equal((await listDumps(store.dir)).dumps[0]?.ending?.how, 'oom-killed')
  assert.ok(!(await readdir(path)).includes('ending.json.new'))
})

test('an ending that makes no sense costs nobody the dump', async (context) => {
  const store = await makeStore(context)
  const { path } = await addDump(store)
  await writeFile(join(path, 'ending.json'), '{"how": "bored"}')
  const { dumps, problems } = await listDumps(store.dir)
  assert.deepEqual([dumps.length, dumps[0]?.ending, problems], [1, undefined, []])
})

test('where an ending cannot be written that is told', async (context) => {
  const store = await makeStore(context)
  const { path } = await addDump(store)
  await mkdir(join(path, 'ending.json', 'in-the-way'), { recursive: true })
  const failed = await noteEndings(store, [ending])
  assert.equal(failed.length, 1)
})
