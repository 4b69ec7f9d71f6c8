import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { execa } from 'execa'
import { awaitNoConsole, consolesOf } from '../setup/console.ts'
import { pyheapctl } from '../setup/run-tool.ts'
import { type RunningService, startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const tool = new URL('../../dist/pyheapctl.js', import.meta.url).pathname
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-exec-'))
let service: RunningService
let pid: string

before(async () => {
  service = await startTarget('/usr/bin/python3', 'service', 'threads')
  pid = String(service.pid)
})

after(async () => {
  await awaitNoConsole(service.pid, 5000)
  const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
  rmSync(scratch, { recursive: true, force: true })
  assert.deepEqual(report.bad, [])
})

test(
  'exec answers on stdout, tells errors on stderr, and says by its exit code which it was',
  { skip },
  async () => {
    const good = await pyheapctl('exec', pid, '-c', 'print(len(main.Registry.live))')
    assert.deepEqual(good, { code: 0, out: '20000', err: '' })
    const bad = await pyheapctl('exec', pid, '-c', 'print(1); import sys; print(2, file=sys.stderr); 1/0')
    assert.equal(bad.code, 1)
    assert.equal(bad.out, '1')
    assert.match(bad.err, /^2\nTraceback .*\n {2}File "<string>", line 1, in <module>\nZeroDivisionError/)
    assert.equal((await pyheapctl('exec', pid, '-c', 'import os; os._exit(0)')).code, 4)
  },
)

test('exec runs a file, or its standard input, and answers data', { skip }, async () => {
  const file = join(scratch, 'report.py')
  writeFileSync(file, '# coding: latin-1\nprint("h\xe9", __file__)\nraise KeyError("no")\n', 'latin1')
  const { code, out } = await pyheapctl('exec', pid, '-f', file, '--json')
  const data = JSON.parse(out) as Record<string, unknown>
  assert.equal(code, 1)
  assert.equal(data['output'], `hé ${file}\n`)
  assert.match(
    String(data['error']),
    /report\.py", line 3, in <module>\n {4}raise KeyError\("no"\)\nKeyError: 'no'\n$/,
  )
  assert.ok(Number(data['pause_ms']) > 0)
  assert.match(String(data['method']), /^(pending-call|resting-thread)$/)
  const piped = await execa('node', [tool, 'exec', pid, '-f', '-'], { input: 'print(6 * 7)' })
  assert.equal(piped.stdout, '42')
})

test('exec refuses what makes no sense before the process is touched', async () => {
  assert.equal((await pyheapctl('exec', pid)).code, 2)
  assert.equal((await pyheapctl('exec', pid, '-c', '1', '-f', 'x')).code, 2)
  assert.equal((await pyheapctl('exec', pid, '-f', join(scratch, 'nothing.py'))).code, 2)
  assert.equal((await pyheapctl('exec', pid, '-c', '1', '--timeout', '10')).code, 2)
  assert.equal((await pyheapctl('exec', 'python', '-c', '1')).code, 2)
  const { code, err } = await pyheapctl('exec', pid, '-c', '1', '--path', join(scratch, 'nothing'))
  assert.equal(code, 2)
  assert.match(err, /no directory .*nothing/)
})

test('a directory that only we have is refused with the way round', { skip }, async (t) => {
  const own = mkdtempSync(join(tmpdir(), 'pyheap-own-'))
  const script =
    'mount -t tmpfs tmpfs "$1" && exec /usr/bin/python3 -c "import time\nprint(1, flush=True)\ntime.sleep(60)"'
  const hidden = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', tmpdir()], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    const said = await Promise.race([
      new Promise((resolve) => hidden.stdout.once('data', resolve)),
      sleep(5000),
    ])
    if (said === undefined) return t.skip('needs the right to make a mount namespace')
    const { code, err } = await pyheapctl('exec', String(hidden.pid), '-c', '1', '--path', own)
    assert.equal(code, 2)
    assert.match(err, /its own file system.*\ncopy it there, below \/proc\/\d+\/root\b/)
  } finally {
    hidden.kill('SIGKILL')
    rmSync(own, { recursive: true })
  }
})

for (const [what, code] of [
  ['code that runs', 'while True: pass'],
  ['code that sleeps', 'import time; time.sleep(1000)'],
  ['native code', 'sum(range(10**12))'],
] as const)
  test(`${what} ends within seconds when pyheapctl is killed`, { skip }, async () => {
    const client = spawn('node', [tool, 'exec', pid, '-c', code], { stdio: 'ignore' })
    for (let tries = 0; tries < 1000 && consolesOf(service.pid).length === 0; tries++) await sleep(20)
    await sleep(500)
    assert.equal(consolesOf(service.pid).length, 1)
    client.kill('SIGKILL')
    await awaitNoConsole(service.pid, 2000)
  })

test('Ctrl-C interrupts what exec runs', { skip }, async () => {
  const running = execa('node', [tool, 'exec', pid, '-c', 'print("on", flush=True)\nwhile True: pass'], {
    reject: false,
  })
  await new Promise((resolve) => running.stdout.once('data', resolve))
  running.kill('SIGINT')
  const { exitCode, stderr } = await running
  assert.equal(exitCode, 1)
  assert.match(stderr, /\nKeyboardInterrupt$/)
})

test('a shell takes statements from a pipe', { skip }, async () => {
  const input =
    'x = len(main.Registry.live)\ndef double(n):\n    return 2 * n\n\ndouble(x)\n1/0\n_ + 1\nif True:\n  print("end")'
  const { stdout, stderr, exitCode } = await execa('node', [tool, 'shell', pid], { input, reject: false })
  assert.equal(stdout, '40000\n40001\nend')
  assert.match(
    stderr,
    /^Traceback .*\n {2}File "<shell>", line 1, in <module>\nZeroDivisionError: division by zero$/,
  )
  assert.equal(exitCode, 0)
})

test('a shell on a terminal has prompts, history, completion and interrupts', { skip }, async (t) => {
  const state = join(scratch, 'state')
  const driver = new URL('../targets/type_into.py', import.meta.url).pathname
  const keys = [
    '>>> ',
    'main.Registry.li\t[0].num\t\n',
    '>>> ',
    'import time; print("o" "n"); time.sleep(1000)\n',
  ]
  keys.push('on\r\n', '\x03', 'KeyboardInterrupt', 'print("\\x1b[2J")\n', '\r\n\\x1b[2J\r\n', 'exit\n')
  const { stdout, exitCode, stderr } = await execa(
    '/usr/bin/python3',
    [driver, JSON.stringify(keys), 'node', tool, 'shell', pid],
    { reject: false, env: { XDG_STATE_HOME: state, NO_COLOR: '1' } },
  )
  if (/no pty/.test(stderr)) return t.skip('needs a pseudo terminal')
  assert.equal(exitCode, 0, stdout + stderr)
  assert.match(stdout, /in a snapshot of process \d+ \(python3 /)
  assert.match(stdout, /stood still for [\d.]+ ms/)
  assert.match(stdout, /main\.Registry\.live/)
  const history = join(state, 'pyheap', 'history')
  assert.match(readFileSync(history, 'utf8'), /^main\.Registry\.live\[0\]\.num\nimport time/)
  assert.equal(statSync(history).mode & 0o777, 0o600)
})

test('exec --live runs in the service itself, says so, and leaves nothing behind', { skip }, async () => {
  const { code, out, err } = await pyheapctl(
    'exec',
    pid,
    '--live',
    '-c',
    'main.touched = 41; print(main.touched)',
  )
  assert.deepEqual([code, out], [0, '41'])
  assert.match(err, /in process \d+ itself/)
  const seen = await pyheapctl(
    'exec',
    pid,
    '-c',
    'print(main.touched, [m for m in modules if "pyheap" in m])',
  )
  assert.equal(seen.out.split('[')[0], '41 ')
  const kept = await pyheapctl(
    'exec',
    pid,
    '--live',
    '-c',
    'import sys; print(sum("pyheap" in m for m in sys.modules))',
  )
  assert.equal(kept.out, '1') // its own
  const bad = await pyheapctl('exec', pid, '--live', '-c', '1/0')
  assert.equal(bad.code, 1)
  assert.match(bad.err, /ZeroDivisionError/)
})

test('shell --live keeps what is named from statement to statement', { skip }, async () => {
  const input = 'y = len(main.Registry.live)\ny + 1\nfor k in range(2):\n    print(k)\n\nexit\n'
  const { stdout } = await execa('node', [tool, 'shell', pid, '--live'], { input })
  assert.equal(stdout, '20001\n0\n1')
})
