import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { execa } from 'execa'
import { pyheapctl } from '../setup/run-tool.ts'
import { RunningService } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-core-'))
const store = join(scratch, 'store')
/** Tells where it keeps a text that only it has. */
const PROGRAM = `import mmap, time
room = mmap.mmap(-1, 120 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
text = ("in the heap " * 3 + "of pid %d" % __import__("os").getpid()).encode()
print("at", id(text), flush=True)
while True: time.sleep(0.1)`
let service: RunningService

before(async () => {
  service = new RunningService('/usr/bin/python3', ['-c', PROGRAM])
  await service.said('\n')
})

after(async () => {
  await service.stop()
  rmSync(scratch, { recursive: true, force: true })
})

type Answer = { readonly dump: string; readonly pause_ms: number }
type Manifest = { readonly files: readonly { name: string; bytes: number; sha256: string }[] }

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

test(
  'a core of the snapshot is in the dump, and gdb reads the heap of the service in it',
  { skip },
  async () => {
    const { code, out, err } = await pyheapctl(
      'capture',
      String(service.pid),
      '--with=census,core',
      '--json',
      '--store',
      store,
    )
    assert.equal(code, 0, err)
    const { dump } = JSON.parse(out) as Answer
    const core = (readJson(join(dump, 'dump.json')) as Manifest).files.find(({ name }) => name === 'core')
    const bytes = readFileSync(join(dump, 'core'))
    assert.deepEqual(core, {
      name: 'core',
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })
    const { complete, problems } = readJson(join(dump, 'census.json')) as {
      complete: boolean
      problems: string[]
    }
    assert.deepEqual({ complete, problems }, { complete: true, problems: [] })
    const address = Number(/^at (\d+)/m.exec(service.output)?.[1])
    const read = await execa('gdb', [
      '-nx',
      '-batch',
      '/usr/bin/python3',
      join(dump, 'core'),
      '-ex',
      `x/s ${address + 32}`,
    ])
    assert.match(read.stdout, new RegExp(`"in the heap in the heap in the heap of pid ${service.pid}"`))
    assert.match(
      (await pyheapctl('show', dump, '--store', store)).out,
      /look into it with: gdb \/usr\/bin\/python3/,
    )
    assert.ok(service.isAlive)
  },
)

test('a core that does not find room is left out, and the census says so', { skip }, async (t) => {
  const disk = join(scratch, 'disk')
  mkdirSync(disk)
  const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=1100m,mode=755', 'tmpfs', disk], {
    reject: false,
  })
  if (mounted.exitCode !== 0) return t.skip('needs the right to mount a tmpfs')
  try {
    const { code, out, err } = await pyheapctl(
      'capture',
      String(service.pid),
      '--with=census,core',
      '--json',
      '--store',
      disk,
    )
    assert.equal(code, 0, err)
    const { dump } = JSON.parse(out) as Answer
    assert.equal(existsSync(join(dump, 'core')), false)
    const { problems } = readJson(join(dump, 'census.json')) as { problems: string[] }
    assert.match(problems.join(), /no core: it may take \d+ bytes, and -?\d+ are free/)
  } finally {
    await execa('umount', [disk])
  }
})
