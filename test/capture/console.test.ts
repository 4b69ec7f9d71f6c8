import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { openConsole } from '../../src/capture/open-console.ts'
import { isSnapshotName } from '../../src/capture/snapshot-name.ts'
import { captureProcess, captureSettings, identify } from '../setup/capture.ts'
import { awaitNoConsole, consoleOf, consoleSettings, consolesOf, say } from '../setup/console.ts'
import { findPythons } from '../setup/interpreters.ts'
import { RunningService, childrenOf, readStat, startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const python = '/usr/bin/python3'

/** A service that is told to stop at the end, and has to have noticed nothing. */
async function withTarget(
  path: string,
  state: string,
  act: (service: RunningService) => Promise<void>,
): Promise<void> {
  const service = await startTarget(path, 'service', state)
  try {
    await act(service)
    await awaitNoConsole(service.pid, 5000)
    assert.deepEqual(childrenOf(service.pid), [])
  } finally {
    const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
    assert.deepEqual(report.bad, [])
  }
}

const cases = findPythons().flatMap(({ path, version }) =>
  (path.startsWith('/usr/bin/') ? ['idle', 'busy', 'threads'] : ['threads']).map((state) => ({
    path,
    version,
    state,
  })),
)
for (const { path, version, state } of cases)
  test(
    `CPython ${version} that is ${state}: code sees the service's objects and changes nothing`,
    { skip },
    async () => {
      await withTarget(path, state, async (service) => {
        const opened = await consoleOf(service.pid)
        assert.ok(version.startsWith(opened.pythonVersion))
        assert.ok(opened.pauseMs > 0)
        const first = await say(opened, 'print(len(main.Registry.live)); main.Registry.live.clear()')
        assert.deepEqual(first, {
          out: '20000\n',
          err: '',
          ran: { kind: 'finished', error: '', isCut: false },
        })
        assert.equal((await say(opened, 'len(main.Registry.live)', 'single')).out, '0\n')
        assert.equal((await say(opened, 'import os; os', 'single')).ran.kind, 'finished')
        assert.equal((await say(opened, 'if True:', 'single')).ran.kind, 'incomplete')
        assert.equal((await say(opened, 'if True:\n  1+1\n', 'single')).out, '2\n')
        const { ran } = await say(opened, 'def f():\n  return 1/0\nf()')
        assert.ok(ran.kind === 'raised')
        assert.match(ran.error, /^Traceback .*\n {2}File "<test>", line 3, in <module>\n/)
        assert.match(ran.error, /ZeroDivisionError: division by zero\n$/)
        assert.doesNotMatch(ran.error, /pyheap/)
        if (state === 'threads')
          assert.match((await say(opened, 'frames["worker-3"]', 'single')).out, /work \(.*service\.py:\d+\)/)
        assert.deepEqual(await opened.console.complete('main.Registry.li'), ['main.Registry.live'])
        const running = say(opened, 'while True: pass')
        await sleep(200)
        opened.console.interrupt()
        const interrupted = await running
        assert.match(
          'error' in interrupted.ran ? interrupted.ran.error : interrupted.ran.kind,
          /\nKeyboardInterrupt\n$/,
        )
        await opened.close()
        const again = await consoleOf(service.pid)
        assert.equal((await say(again, 'print(len(main.Registry.live))')).out, '20000\n')
        await again.close()
      })
    },
  )

test('everything that a program writes comes in order, past Python’s streams too', { skip }, async () => {
  await withTarget(python, 'idle', async (service) => {
    const opened = await consoleOf(service.pid)
    const code = `import os, sys
print("a"); os.write(1, b"b\\n"); sys.stdout.buffer.write(b"\\xff\\n")
print("\\ud800 \\x1edone 8\\nfinished"); os.write(2, b"\\x1edone 1\\n"); print("é", file=sys.stderr)`
    const { out, err, ran } = await say(opened, code)
    assert.ok(out.startsWith('a\nb\n\ufffd\n\\ud800 \x1edone 8\nfinished\n'), JSON.stringify(out))
    // What it forges on descriptor 2 ends its own run, with an answer that makes no sense, and nothing else.
    assert.equal(ran.kind, 'gone', JSON.stringify({ err, ran }))
    await opened.close()
  })
})

const REFUSED: Readonly<Record<string, string>> = {
  fork: 'import os; os.fork()',
  socket: 'import socket; socket.socket()',
  'a file to write': 'open("/tmp/pyheap-console-was-here", "w")',
  'a file to append to': 'import os; os.open("/tmp/pyheap-console-was-here", os.O_CREAT | os.O_APPEND)',
  'removing a file': 'import os; os.unlink("/etc/hostname")',
  'a signal': 'import os; os.kill(1, 0)',
  'a signal to itself': 'import os; os.kill(os.getpid(), 9)',
  'a thread': 'import threading; threading.Thread(target=print).start()',
  'a program': 'import subprocess; subprocess.run(["true"])',
}
test('what would reach out of the snapshot is refused, and reading is not', { skip }, async () => {
  await withTarget(python, 'idle', async (service) => {
    const opened = await consoleOf(service.pid)
    for (const [what, code] of Object.entries(REFUSED)) {
      const { ran } = await say(opened, code)
      assert.ok(ran.kind === 'raised' && /Error:/.test(ran.error), `${what}: ${JSON.stringify(ran)}`)
    }
    assert.equal(existsSync('/tmp/pyheap-console-was-here'), false)
    assert.equal((await say(opened, 'print(open("/proc/version").read()[:5])')).out, 'Linux\n')
    await opened.close()
  })
})

const FATAL: Readonly<Record<string, string>> = {
  'os._exit': 'import os; os._exit(0)',
  'a crash of native code': 'import ctypes; ctypes.string_at(0)',
  'endless output past Python': 'import os\nwhile True: os.write(1, b"x" * 60000)',
  'memory without end': 'kept = []\nwhile True: kept.append(bytearray(10**7))',
  'time without end': 'import time; time.sleep(1000)',
}
for (const [what, code] of Object.entries(FATAL))
  test(`${what} ends the snapshot and is told`, { skip }, async () => {
    await withTarget(python, 'busy', async (service) => {
      const opened = await consoleOf(service.pid, { timeoutMs: 6000 })
      const { ran } = await say(opened, code)
      assert.ok(ran.kind === 'gone' && ran.why !== '', JSON.stringify(ran))
      await awaitNoConsole(service.pid, 2000)
      assert.deepEqual(await opened.console.complete('gc.'), [])
      assert.equal((await say(opened, '1')).ran.kind, 'gone')
      await opened.close()
    })
  })

test('recursion, errors that cannot be told, and too much output end as errors', { skip }, async () => {
  await withTarget(python, 'idle', async (service) => {
    const opened = await consoleOf(service.pid)
    const errorOf = async (code: string): Promise<string> => {
      const { ran } = await say(opened, code)
      return 'error' in ran ? ran.error : JSON.stringify(ran)
    }
    assert.match(await errorOf('def f(): f()\nf()'), /RecursionError/)
    assert.match(
      await errorOf('class E(Exception):\n  def __str__(self): 1/0\nraise E'),
      /E: <exception str\(\) failed>/,
    )
    assert.match(await errorOf('raise SystemExit("bye")'), /^bye\n$/)
    assert.match(await errorOf('def'), /SyntaxError: invalid syntax\n$/)
    assert.match(await errorOf('input()'), /EOFError/)
    const { out, ran } = await say(opened, 'while True: print("x" * 10000)')
    assert.equal(out.length, 16 * 2 ** 20)
    assert.ok(ran.kind === 'raised' && ran.isCut && /cut after 16 MiB/.test(ran.error))
    assert.equal((await say(opened, 'print(1)')).out, '1\n')
    await opened.close()
  })
})

test('a service that has patched all that a console leans on has one all the same', { skip }, async () => {
  const service = await startTarget(python, 'hostile')
  try {
    const opened = await consoleOf(service.pid)
    assert.equal((await say(opened, '1 + 1', 'single')).out, '2\n')
    assert.equal((await say(opened, 'import sys; _ = sys.stdout.write("a\\n")')).out, 'a\n')
    const { ran } = await say(opened, 'main.GRUMPY', 'single')
    assert.ok(ran.kind === 'raised' && ran.error.endsWith('RuntimeError: no repr\n'), JSON.stringify(ran))
    assert.deepEqual(await opened.console.complete('main.GRUMPY.'), ['main.GRUMPY.ran'])
    assert.deepEqual(await opened.console.complete('main.GRUMPY.ran.'), [])
    assert.equal((await say(opened, 'main.sys.stdout = None')).ran.kind, 'finished')
    assert.equal((await say(opened, '7', 'single')).out, '7\n')
    await opened.close()
    await awaitNoConsole(service.pid, 2000)
    assert.ok(service.isAlive)
  } finally {
    await service.stop()
  }
})

test(
  'captures and other consoles go on beside an open console, which no daemon takes for a process',
  { skip },
  async () => {
    await withTarget(python, 'threads', async (service) => {
      const opened = await consoleOf(service.pid)
      const [pid = 0] = consolesOf(service.pid)
      const name = /\((.*)\)/.exec(readStat(pid))?.[1] ?? ''
      assert.ok(isSnapshotName(name), name)
      const settings = await captureSettings({ lockTimeoutMs: 20_000 })
      assert.equal((await captureProcess(service.pid, settings)).kind, 'captured')
      const other = await consoleOf(service.pid)
      assert.equal((await say(other, 'print(1)')).out, '1\n')
      await other.close()
      assert.equal((await say(opened, 'print(2)')).out, '2\n')
      await opened.close()
    })
  },
)

test(
  'a directory comes first in what is imported, and one that cannot be read is told',
  { skip },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pyheap-path-'))
    writeFileSync(join(directory, 'brought_along.py'), 'ANSWER = 42\n')
    try {
      await withTarget(python, 'idle', async (service) => {
        const opened = await consoleOf(service.pid, { paths: [directory] })
        assert.equal((await say(opened, 'import brought_along; print(brought_along.ANSWER)')).out, '42\n')
        assert.equal(existsSync(join(directory, '__pycache__')), false)
        await opened.close()
        const refused = await openConsole(
          { id: identify(service.pid) },
          await consoleSettings({ paths: [join(directory, 'not-there')] }),
        )
        assert.ok(refused.kind === 'failed' && refused.detail.includes('not-there'), JSON.stringify(refused))
      })
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
)

test('PID 1 of a container has no zombie after a console', { skip }, async (t) => {
  const file = new URL('../targets/service.py', import.meta.url).pathname
  const outer = new RunningService('unshare', ['--pid', '--fork', '--mount-proc', python, file, 'idle'])
  try {
    await outer.said('ready')
  } catch {
    return t.skip(`cannot make a pid namespace: ${outer.output}`)
  }
  try {
    const pid = Number(childrenOf(outer.pid)[0]?.split(' ')[0])
    const opened = await consoleOf(pid)
    assert.equal((await say(opened, 'print(len(main.Registry.live))')).out, '20000\n')
    assert.equal(childrenOf(pid).length, 1)
    await opened.close()
    assert.deepEqual(childrenOf(pid), [])
    process.kill(pid, 'SIGTERM')
    await outer.said('"bad": []')
  } finally {
    await outer.stop()
  }
})
