import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openDump, type PartialDump } from '../../src/store/partial-dump.ts'
import { storeAt, type StorePlace } from '../../src/store/place.ts'
import { makeManifest } from './make-manifest.ts'
import { makeStore } from './make-store.ts'

const name = { at: '2026-11-21T23:22:00.123Z', pid: 4242, rule: 'rss-high' }

async function begin(store: StorePlace): Promise<PartialDump> {
  const dump = await openDump(store, 'api', name)
  if (dump.kind === 'failed') throw new Error(dump.detail)
  return dump
}

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)

test('a dump is invisible until it is published, and then complete', async (context) => {
  const store = await makeStore(context)
  const dump = await begin(store)
  await dump.write('census.json', '{}')
  assert.deepEqual(await readdir(join(store.dir, 'api')), ['20261121T232200Z-4242-rss-high.partial'])

  const published = await dump.publish(makeManifest())
  assert.equal(published.kind, 'published')
  const path = join(store.dir, 'api', '20261121T232200Z-4242-rss-high')
  assert.deepEqual((await readdir(path)).toSorted(), ['census.json', 'dump.json'])
  const manifest: unknown = JSON.parse(await readFile(join(path, 'dump.json'), 'utf8'))
  const sha256 = createHash('sha256').update('{}').digest('hex')
  assert.deepEqual(manifest, { ...makeManifest(), files: [{ name: 'census.json', bytes: 2, sha256 }] })
})

test('modes are 0750 and 0640 whatever the umask', async (context) => {
  const store = await makeStore(context)
  const old = process.umask(0o077)
  context.after(() => process.umask(old))
  const dump = await begin(store)
  await dump.publish(makeManifest())
  const path = join(store.dir, 'api', '20261121T232200Z-4242-rss-high')
  assert.equal(await modeOf(join(store.dir, 'api')), '750')
  assert.equal(await modeOf(path), '750')
  assert.equal(await modeOf(join(path, 'dump.json')), '640')
})

test('files belong to the group pyheap where it exists', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root may give files to a group')
  const store = await makeStore(context)
  const groupFile = join(store.dir, 'group')
  await writeFile(groupFile, 'root:x:0:\npyheap:x:4321:\n')
  await (await begin({ ...store, groupFile })).publish(makeManifest())
  const path = join(store.dir, 'api', '20261121T232200Z-4242-rss-high')
  assert.equal((await stat(path)).gid, 4321)
  assert.equal((await stat(join(path, 'dump.json'))).gid, 4321)
})

test('two captures in a second get two names, finished or not', async (context) => {
  const store = await makeStore(context)
  const first = await begin(store)
  const second = await begin(store)
  await first.publish(makeManifest())
  const third = await begin(store)
  await second.publish(makeManifest())
  await third.publish(makeManifest())
  const stem = '20261121T232200Z-4242-rss-high'
  assert.deepEqual((await readdir(join(store.dir, 'api'))).toSorted(), [stem, `${stem}-2`, `${stem}-3`])
})

test('after a discard nothing is left and nothing can be published', async (context) => {
  const store = await makeStore(context)
  const dump = await begin(store)
  await dump.discard()
  assert.deepEqual(await readdir(join(store.dir, 'api')), [])
  assert.equal((await dump.write('census.json', '{}')).kind, 'failed')
  assert.equal((await dump.publish(makeManifest())).kind, 'failed')
})

test('a file that could not be written keeps the whole dump back', async (context) => {
  const store = await makeStore(context)
  const dump = await begin(store)
  await dump.write('census.json', '{}')
  assert.equal((await dump.write('census.json', 'again')).kind, 'failed')
  assert.equal((await dump.publish(makeManifest())).kind, 'failed')
  assert.deepEqual(await readdir(join(store.dir, 'api')), [])
})

test('a store that is missing is a failure that says so, not a new directory', async (context) => {
  const store = await makeStore(context)
  const opened = await openDump(storeAt(join(store.dir, 'not-mounted')), 'api', name)
  assert.equal(opened.kind === 'failed' && opened.reason, 'missing')
  assert.deepEqual(await readdir(store.dir), [])
})

test('a store that is a file is a failure', async (context) => {
  const store = await makeStore(context)
  await writeFile(join(store.dir, 'file'), '')
  const opened = await openDump(storeAt(join(store.dir, 'file')), 'api', name)
  assert.equal(opened.kind === 'failed' && opened.reason, 'missing')
})

test('a disk that fills up in the middle is told as no-space and leaves nothing behind', async (context) => {
  const dir = await mountTmpfs(context, 'size=64k')
  if (dir === undefined) return context.skip('mounting a tmpfs needs root')
  const dump = await begin(storeAt(dir))
  const written = await dump.write('census.json', 'x'.repeat(1 << 20))
  assert.equal(written.kind === 'failed' && written.reason, 'no-space')
  const published = await dump.publish(makeManifest())
  assert.equal(published.kind === 'failed' && published.reason, 'no-space')
  assert.deepEqual(await readdir(join(dir, 'api')), [])
})

test('a file system that turned read-only is told as read-only', async (context) => {
  const dir = await mountTmpfs(context, 'size=64k')
  if (dir === undefined) return context.skip('mounting a tmpfs needs root')
  await mkdir(join(dir, 'api'))
  execFileSync('mount', ['-o', 'remount,ro', dir])
  const opened = await openDump(storeAt(dir), 'api', name)
  assert.equal(opened.kind === 'failed' && opened.reason, 'read-only')
})

async function mountTmpfs(context: TestContext, options: string): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'pyheap-tmpfs-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir], { stdio: 'ignore' })
  } catch {
    await rm(dir, { recursive: true })
    return undefined
  }
  context.after(async () => {
    execFileSync('umount', [dir])
    await rm(dir, { recursive: true })
  })
  return dir
}
