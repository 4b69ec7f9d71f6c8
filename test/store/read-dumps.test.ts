import assert from 'node:assert/strict'
import { mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { listDumps, readDump } from '../../src/store/read-dumps.ts'
import { verifyDump } from '../../src/store/verify-dump.ts'
import { makeManifest } from './make-manifest.ts'
import { addDump, makeStore } from './make-store.ts'

test('dumps are listed newest first, foreign and unfinished directories not at all', async (context) => {
  const store = await makeStore(context)
  await addDump(store, { started_at: '2026-11-21T10:00:00.000Z' })
  await addDump(store, { started_at: '2026-11-21T12:00:00.000Z', target: 'web' })
  await addDump(store, { started_at: '2026-11-21T11:00:00.000Z' })
  await mkdir(join(store.dir, 'api', 'lost+found'))
  await mkdir(join(store.dir, 'api', '20261121T130000Z-1-x.partial'))
  const hours = (await listDumps(store.dir)).dumps.map(({ id }) => id.replace(/Z.*/, ''))
  assert.deepEqual(hours, ['web/20261121T120000', 'api/20261121T110000', 'api/20261121T100000'])
  assert.equal((await listDumps(store.dir, 'web')).dumps.length, 1)
})

test('a dump that cannot be read is named, the others are listed', async (context) => {
  const store = await makeStore(context)
  await addDump(store)
  const broken = await addDump(store)
  await writeFile(join(broken.path, 'dump.json'), '{"format":1')
  const { dumps, problems } = await listDumps(store.dir)
  assert.equal(dumps.length, 1)
  assert.deepEqual(
    problems.map(({ file }) => file),
    [join(broken.path, 'dump.json')],
  )
})

test('a store that is not there lists nothing and says so', async () => {
  const { dumps, problems } = await listDumps('/nowhere/at/all')
  assert.deepEqual([dumps.length, problems.length], [0, 1])
})

test('a whole dump is read back as it was written', async (context) => {
  const store = await makeStore(context)
  const { path, manifest, id } = await addDump(store)
  const read = await readDump(path)
  assert.equal(read.kind, 'read')
  if (read.kind !== 'read') return
  assert.deepEqual(read.dump.manifest, manifest)
  assert.deepEqual([read.dump.id, read.dump.census], [id, undefined])
})

test('what a dump says of a container is read back, and an older dump says no more than its id', async (context) => {
  const store = await makeStore(context)
  const { process } = makeManifest()
  const container_id = 'a1'.repeat(32)
  const container = { runtime: 'cri-o', pod_uid: 'u', pod: 'api-1', labels: { app: 'api' } } as const
  for (const known of [
    { ...process, container_id },
    { ...process, inside_pid: 17, container_id, container },
  ]) {
    const { path } = await addDump(store, { process: known })
    const read = await readDump(path)
    assert.ok(read.kind === 'read')
    assert.deepEqual(read.dump.manifest.process, known)
    await rm(path, { recursive: true })
  }
})

const damages: readonly (readonly [string, (path: string) => Promise<void>])[] = [
  ['truncated', (path) => truncate(path, 5)],
  ['missing', (path) => rm(path)],
  ['not an object', (path) => writeFile(path, '[]')],
  ['of another format', async (path) => writeFile(path, (await readFile(path, 'utf8')).replace('1', '2'))],
  ['a number where text belongs', (path) => writeFile(path, '{"takenAt": 1}')],
  ['too big', (path) => truncate(path, 5 * 2 ** 20)],
  [
    'a symbolic link',
    async (path) => {
      await rename(path, `${path}.real`)
      await symlink(`${path}.real`, path)
    },
  ],
]
for (const [what, damage] of damages) {
  test(`a file that is ${what} is named as unreadable`, async (context) => {
    const store = await makeStore(context)
    const name = what === 'of another format' ? 'dump.json' : 'outside.json'
    const { path } = await addDump(store)
    await damage(join(path, name))
    const read = await readDump(path)
    assert.equal(read.kind === 'unreadable' && read.file, join(path, name))
  })
}

test('a manifest cannot name files outside its dump', async (context) => {
  const store = await makeStore(context)
  const { path, manifest } = await addDump(store)
  const files = [{ name: '../../secret', bytes: 1, sha256: '0'.repeat(64) }]
  await writeFile(join(path, 'dump.json'), JSON.stringify({ ...manifest, files }))
  assert.equal((await readDump(path)).kind, 'unreadable')
})

test('verifying says which file is not what was written', async (context) => {
  const store = await makeStore(context)
  const { path } = await addDump(store)
  const file = join(path, 'outside.json')
  const text = await readFile(file, 'utf8')
  const verify = async (): Promise<unknown> => {
    const verified = await verifyDump(path)
    return verified.kind === 'verified' ? verified.problems : verified
  }
  assert.deepEqual(await verify(), [])
  await writeFile(file, text.replace('takenAt', 'takenXx'))
  assert.deepEqual(await verify(), [{ file: 'outside.json', problem: 'wrong-sha256' }])
  await writeFile(file, '')
  assert.deepEqual(await verify(), [{ file: 'outside.json', problem: 'wrong-size' }])
  await rm(file)
  assert.deepEqual(await verify(), [{ file: 'outside.json', problem: 'missing' }])
  await mkdir(file)
  assert.deepEqual(await verify(), [{ file: 'outside.json', problem: 'not-a-file' }])
})
