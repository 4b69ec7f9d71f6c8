import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { execa } from 'execa'
import { pyheapctl, runTool } from '../setup/run-tool.ts'
import { type RunningService, readStat, startTarget } from '../setup/service.ts'

const scratch = mkdtempSync(join(tmpdir(), 'pyheap-bad-luck-'))
const store = join(scratch, 'store')
let service: RunningService

before(async () => {
  service = await startTarget('/usr/bin/python3', 'service', 'idle')
})

after(async () => {
  const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
  rmSync(scratch, { recursive: true, force: true })
  assert.deepEqual(report.bad, [])
})

/** Nothing half-written may ever be visible in the store. */
const assertStoreIsClean = (): void => {
  const dumps = existsSync(store) ? readdirSync(store, { recursive: true, encoding: 'utf8' }) : []
  assert.deepEqual(
    dumps.filter((name) => name.includes('.partial')),
    [],
  )
}

test('a pid that is not Python is refused in words', async () => {
  const other = spawn('sleep', ['30'])
  const { code, err } = await pyheapctl('capture', String(other.pid), '--store', store)
  other.kill()
  assert.equal(code, 4)
  assert.match(err, /is not Python/)
})

test('a pid that does not exist is not found', async () => {
  const { code, err } = await pyheapctl('capture', '4194303', '--store', store)
  assert.equal(code, 3)
  assert.match(err, /no process 4194303/)
})

test('what is not a pid is a mistake in usage', async () => {
  for (const argument of ['0', '12x', '-5', '99999999999', 'python'])
    assert.equal((await pyheapctl('capture', '--store', store, '--', argument)).code, 2, argument)
})

test('a zombie has nothing left to capture', async () => {
  const parent = spawn('/usr/bin/python3', [
    '-c',
    'import os, time\npid = os.fork()\nif not pid: os._exit(0)\nprint(pid, flush=True)\ntime.sleep(30)',
  ])
  const [zombie] = (
    await parent.stdout
      .iterator()
      .next()
      .then(({ value }) => String(value))
  ).split('\n')
  await sleep(200)
  const { code, err } = await pyheapctl('capture', zombie ?? '', '--store', store)
  parent.kill()
  assert.equal(code, 4)
  assert.match(err, /zombie/)
})

test('a process that is traced already is left alone', async () => {
  const tracer = spawn('gdb', ['-nx', '-q', '-p', String(service.pid), '-iex', 'set auto-load off'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  try {
    for (let tries = 0; tries < 200 && !/[tT] /.test(readStat(service.pid).split(') ')[1] ?? ''); tries++)
      await sleep(50)
    const { code, err } = await pyheapctl('capture', String(service.pid), '--store', store)
    assert.equal(code, 4)
    assert.match(err, /tracing it/)
  } finally {
    tracer.kill('SIGKILL')
    await sleep(200)
    process.kill(service.pid, 'SIGCONT')
  }
})

test('a process that is stopped is left stopped', async () => {
  process.kill(service.pid, 'SIGSTOP')
  await sleep(100)
  const { code, err } = await pyheapctl('capture', String(service.pid), '--store', store)
  assert.match(readStat(service.pid), /\) T /)
  process.kill(service.pid, 'SIGCONT')
  assert.equal(code, 4)
  assert.match(err, /is stopped/)
  assert.match(err, /kill -CONT/)
})

test('a missing gdb is named, with the way to install it', async () => {
  const bin = join(scratch, 'no-gdb')
  mkdirSync(bin)
  await execa('ln', ['-s', '/usr/bin/getconf', bin])
  const { code, err } = await runTool('pyheapctl', ['capture', String(service.pid), '--store', store], {
    env: { PATH: bin },
  })
  assert.equal(code, 4)
  assert.match(err, /gdb is not installed/)
  assert.match(err, /apt-get install gdb/)
})

test('a gdb that is too old is named, with the version that is needed', async () => {
  const bin = join(scratch, 'old-gdb')
  mkdirSync(bin)
  await execa('ln', ['-s', '/usr/bin/getconf', bin])
  writeFileSync(join(bin, 'gdb'), '#!/bin/sh\necho "GNU gdb (GDB) 7.12"\n')
  chmodSync(join(bin, 'gdb'), 0o755)
  const { code, err } = await runTool('pyheapctl', ['capture', String(service.pid), '--store', store], {
    env: { PATH: `${bin}:/bin` },
  })
  assert.equal(code, 4)
  assert.match(err, /gdb 7\.12 is too old/)
})

test('without root the answer is sudo', async () => {
  const copy = await execa('node', ['--version'], { uid: 65534, reject: false })
  if (copy.exitCode !== 0) return
  const { code, err } = await runTool('pyheapctl', ['capture', String(service.pid), '--store', store], {
    uid: 65534,
  })
  assert.equal(code, 8)
  assert.match(err, /sudo/)
})

test('a store below a file, on a read-only or on a full disk is refused before the service is stopped', async (t) => {
  writeFileSync(join(scratch, 'file'), '')
  const below = await pyheapctl('capture', String(service.pid), '--store', join(scratch, 'file', 'store'))
  assert.equal(below.code, 6, below.err)

  const disk = join(scratch, 'disk')
  mkdirSync(disk)
  const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=755', 'tmpfs', disk], {
    reject: false,
  })
  if (mounted.exitCode !== 0) return t.skip('needs the right to mount a tmpfs')
  try {
    const full = await pyheapctl('capture', String(service.pid), '--store', disk)
    assert.equal(full.code, 6)
    assert.match(full.err, /free/)
    await execa('mount', ['-o', 'remount,ro', disk])
    const readOnly = await pyheapctl('capture', String(service.pid), '--store', join(disk, 'store'))
    assert.equal(readOnly.code, 6)
    assert.match(readOnly.err, /read-only/i)
  } finally {
    await execa('umount', [disk])
  }
})

test('a broken configuration is told with its place, all mistakes at once', async () => {
  const file = join(scratch, 'broken.yaml')
  writeFileSync(file, 'store: { dirr: /x }\nrules:\n  - name: a\n    when: { rss: { above: 1500 } }\n')
  for (const tool of ['pyheapctl', 'pyheap-watchd'] as const) {
    const { code, err } = await runTool(
      tool,
      tool === 'pyheapctl' ? ['check', file] : ['--check', '--config', file],
    )
    assert.equal(code, 5)
    assert.match(err, /broken\.yaml:1:10: .*dirr/)
    assert.match(err, /did you mean .*dir/)
    assert.match(err, /broken\.yaml:4:27: .*unit/)
    assert.match(err, /^ +\^$/m)
  }
})

test('the shipped configuration is valid', async () => {
  const file = new URL('../../config/pyheap-watchd.yaml', import.meta.url).pathname
  assert.equal((await runTool('pyheap-watchd', ['--check', '--config', file])).code, 0)
  assert.equal((await pyheapctl('check', file)).code, 0)
})

test('a dump that is not there is not found, and near names are offered', async () => {
  const { code, err } = await pyheapctl('show', 'nothing/here', '--store', store)
  assert.equal(code, 3)
  assert.notEqual(err, '')
})

test('an unknown command or option is a mistake in usage', async () => {
  assert.equal((await pyheapctl('captur', '1')).code, 2)
  assert.equal((await pyheapctl('list', '--nope')).code, 2)
  assert.equal((await runTool('pyheap-watchd', ['--nope'])).code, 2)
})

test('after all that the service can still be captured, and nothing half-written is in the store', async () => {
  const { code, out, err } = await pyheapctl('capture', String(service.pid), '--store', store, '--json')
  assert.equal(code, 0, err)
  assert.ok((JSON.parse(out) as { pause_ms: number }).pause_ms > 0)
  assertStoreIsClean()
})
