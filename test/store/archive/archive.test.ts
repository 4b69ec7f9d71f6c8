import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { create } from 'tar'
import { packArchive } from '../../../src/store/archive/pack.ts'
import { unpackArchive } from '../../../src/store/archive/unpack.ts'
import { listDumps, readDump } from '../../../src/store/read-dumps.ts'
import { verifyDump } from '../../../src/store/verify-dump.ts'
import { addDump, makeStore } from '../make-store.ts'

function scratchOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pyheap-archive-test-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const process = {
  boot_id: 'b0a7',
  pid: 4242,
  start_ticks: 1000,
  exe: '/usr/bin/python3',
  cmdline: ['python3', '--token=hunter22'],
  user: 'www',
}

async function pack(context: TestContext, changes: object = {}) {
  const store = await makeStore(context)
  await addDump(store, { process, target: 'api' })
  await addDump(store, { process, target: 'worker' })
  const { dumps } = await listDumps(store.dir)
  const file = join(scratchOf(context), 'ticket.tar.gz')
  const manifest = await packArchive(dumps, {
    file,
    withCore: false,
    redacting: { patterns: [] },
    createdAt: '2026-11-30T00:00:00.000Z',
    ...changes,
  })
  return { file, manifest, dumps }
}

test('dumps that were packed are a store again, whole and without secrets', async (context) => {
  const { file, dumps } = await pack(context)
  const into = scratchOf(context)
  const unpacked = await unpackArchive(file, into)
  assert.deepEqual(unpacked, { kind: 'unpacked', ids: dumps.map(({ id }) => id) })
  const again = await listDumps(into)
  assert.deepEqual(
    again.dumps.map(({ id }) => id),
    dumps.map(({ id }) => id),
  )
  for (const { path, manifest } of again.dumps) {
    assert.deepEqual(manifest.process.cmdline, ['python3', '--token=[redacted]'])
    assert.deepEqual(await verifyDump(path), { kind: 'verified', problems: [] })
    assert.equal((await readDump(path)).kind, 'read')
  }
})

test('what is to stay in stays in', async (context) => {
  const { file, manifest } = await pack(context, { redacting: undefined })
  assert.equal(manifest.dumps[0]?.redacted, 0)
  const into = scratchOf(context)
  await unpackArchive(file, into)
  const [dump] = (await listDumps(into)).dumps
  assert.deepEqual(dump?.manifest.process.cmdline, process.cmdline)
})

/** An archive of an unpacked one that somebody has changed. */
async function forge(
  context: TestContext,
  change: (folder: string, dump: string) => readonly string[],
): Promise<string> {
  const { file } = await pack(context)
  const folder = scratchOf(context)
  await unpackArchive(file, folder)
  const target = readdirSync(folder).find((name) => name === 'api') ?? ''
  const dump = join(target, readdirSync(join(folder, target))[0] ?? '')
  const more = change(folder, dump)
  const forged = join(scratchOf(context), 'forged.tar.gz')
  await create({ file: forged, cwd: folder, gzip: true, preservePaths: true }, [
    'MANIFEST.json',
    'api',
    'worker',
    ...more,
  ])
  return forged
}

const put = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const forgeries: Readonly<Record<string, (folder: string, dump: string) => readonly string[]>> = {
  'a file that was changed': (folder, dump) => {
    put(join(folder, dump, 'outside.json'), '{"takenAt":"x"}')
    return []
  },
  'a file that is missing': (folder, dump) => {
    rmSync(join(folder, dump, 'outside.json'))
    return []
  },
  'a file that no dump has': (folder, dump) => {
    put(join(folder, dump, 'run.sh'), 'rm -rf /')
    return []
  },
  'a file elsewhere': (folder) => {
    put(join(folder, '..', 'pyheap-elsewhere'), 'x')
    return ['../pyheap-elsewhere']
  },
  'a file at an absolute path': (folder) => {
    put(join(folder, 'x'), 'x')
    return [join(folder, 'x')]
  },
  'a link': (folder, dump) => {
    rmSync(join(folder, dump, 'outside.json'))
    symlinkSync('/etc/passwd', join(folder, dump, 'outside.json'))
    return []
  },
  'a folder deeper down': (folder, dump) => {
    put(join(folder, dump, 'deeper', 'dump.json'), '{}')
    return []
  },
  'a list that names something else': (folder) => {
    put(join(folder, 'MANIFEST.json'), '{"format":1,"dumps":[{"id":"../../etc"}]}')
    return []
  },
  'no list': (folder) => {
    put(join(folder, 'MANIFEST.json'), 'no JSON')
    return []
  },
}
for (const [what, change] of Object.entries(forgeries))
  test(`an archive with ${what} is refused`, async (context) => {
    const file = await forge(context, change)
    const into = scratchOf(context)
    const unpacked = await unpackArchive(file, into)
    assert.equal(unpacked.kind, 'unreadable', JSON.stringify(unpacked))
    rmSync(join(tmpdir(), 'pyheap-elsewhere'), { force: true })
  })

test('what is no archive is refused', async (context) => {
  const file = join(scratchOf(context), 'x.tar.gz')
  writeFileSync(file, 'nothing of the kind')
  assert.equal((await unpackArchive(file, scratchOf(context))).kind, 'unreadable')
  assert.equal((await unpackArchive('/nowhere/x.tar.gz', scratchOf(context))).kind, 'unreadable')
})

test('nothing of an archive lands outside its folder', async (context) => {
  const file = await forge(context, forgeries['a file elsewhere'] ?? (() => []))
  const home = scratchOf(context)
  const into = join(home, 'deep')
  mkdirSync(into)
  await unpackArchive(file, into)
  assert.deepEqual(readdirSync(home), ['deep'])
  assert.throws(() => readFileSync(join(home, 'pyheap-elsewhere')))
  rmSync(join(tmpdir(), 'pyheap-elsewhere'), { force: true })
})
