import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { execa } from 'execa'
import { capture } from '../../src/capture/capture.ts'
import { isSnapshotOf, nowTicks } from '../../src/capture/snapshot-identity.ts'
import { captureProcess, captureSettings, identify } from '../setup/capture.ts'
import { RunningService, childrenOf, readStat, startTarget, strayProcesses } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const python = '/usr/bin/python3'

/** The snapshot of the capture that is going on, as soon as there is one. */
async function awaitSnapshot(): Promise<number> {
  for (let tries = 0; tries < 2000; tries++) {
    const snapshot = strayProcesses().find((stat) => stat.includes('(pyheap-snap-'))
    if (snapshot !== undefined) return Number(snapshot.split(' ')[0])
    await sleep(2)
  }
  throw new Error('no snapshot was seen')
}

async function stopWell(service: RunningService): Promise<void> {
  const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
  assert.deepEqual(report.bad, [])
}

test('a snapshot that dies is replaced by another, and the service does not notice', { skip }, async () => {
  const settings = await captureSettings()
  const service = await startTarget(python, 'service', 'threads')
  try {
    const captured = captureProcess(service.pid, settings)
    const first = await awaitSnapshot()
    process.kill(first, 'SIGKILL')
    const outcome = await captured
    assert.equal(outcome.kind, 'captured')
    assert.ok(outcome.attempts > 1)
    assert.deepEqual(strayProcesses(), [])
  } finally {
    await stopWell(service)
  }
})

test(
  'a snapshot is the first to be killed for memory, in a cgroup of its own and in a sandbox',
  { skip },
  async () => {
    const settings = await captureSettings()
    const service = await startTarget(python, 'service', 'idle')
    try {
      const captured = captureProcess(service.pid, settings)
      const snapshot = await awaitSnapshot()
      let isSandboxed = false
      for (let tries = 0; tries < 500 && !isSandboxed && existsSync(`/proc/${snapshot}`); tries++) {
        await sleep(1)
        isSandboxed = /^Seccomp:\s+2$/m.test(readOrNothing(`/proc/${snapshot}/status`))
        if (!isSandboxed) continue
        assert.equal(readOrNothing(`/proc/${snapshot}/oom_score_adj`).trim(), '1000')
        assert.match(readOrNothing(`/proc/${snapshot}/cgroup`), /pyheap-snapshots/)
      }
      assert.ok(isSandboxed, 'it was seen in its sandbox')
      assert.equal((await captured).kind, 'captured')
    } finally {
      await stopWell(service)
    }
  },
)

test('a census that takes too long ends with what it had, and says so', { skip }, async () => {
  const settings = await captureSettings({ timeoutMs: 120 })
  const service = await startTarget(python, 'heap', '1000000')
  try {
    const outcome = await captureProcess(service.pid, settings)
    if (outcome.kind === 'captured') {
      assert.equal(outcome.census.complete, false)
      assert.ok(outcome.census.problems.some((problem) => problem.includes('capture.timeout')))
    } else assert.equal(outcome.reason, 'snapshot-hung')
    assert.deepEqual(strayProcesses(), [])
  } finally {
    await stopWell(service)
  }
})

test('a pid that belongs to another process by now is not touched', { skip }, async () => {
  const settings = await captureSettings()
  const service = await startTarget(python, 'service', 'idle')
  try {
    const id = identify(service.pid)
    const outcome = await capture({ id: { ...id, startTicks: id.startTicks - 1 } }, settings)
    assert.ok(outcome.kind === 'failed' && outcome.reason === 'gone')
  } finally {
    await stopWell(service)
  }
})

test('a service that calls exec while it is captured lives on', { skip }, async () => {
  const settings = await captureSettings()
  const file = new URL('../targets/execs.py', import.meta.url).pathname
  const service = new RunningService(python, [file])
  try {
    await service.said('ready')
    for (let n = 0; n < 8; n++) {
      const outcome = await captureProcess(service.pid, settings)
      assert.ok(service.isAlive, `${JSON.stringify(outcome)} ${service.process.signalCode}`)
    }
    assert.deepEqual(strayProcesses(), [])
  } finally {
    await service.stop()
  }
})

test('a program that has loaded Python and not started it lives on', { skip }, async (t) => {
  const library = '/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0'
  if (!existsSync(library)) return t.skip(`${library} is not installed`)
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-embed-'))
  const program = `#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int main(void) { puts(dlopen("${library}", RTLD_NOW) ? "ready" : dlerror()); fflush(stdout); for (;;) usleep(20000); }`
  await execa('gcc', ['-x', 'c', '-', '-o', join(scratch, 'embed')], { input: program })
  const service = new RunningService(join(scratch, 'embed'), [])
  try {
    await service.said('ready')
    const outcome = await captureProcess(service.pid, await captureSettings())
    assert.ok(outcome.kind === 'failed' && outcome.reason === 'not-python', JSON.stringify(outcome))
    assert.ok(service.isAlive)
  } finally {
    await service.stop()
    rmSync(scratch, { recursive: true })
  }
})

test('a pid that a service makes up is not taken for a snapshot', { skip }, async () => {
  const service = await startTarget(python, 'service', 'idle')
  const other = await startTarget(python, 'service', 'idle')
  try {
    assert.equal(isSnapshotOf('/proc', service.pid, 1, 0), false)
    assert.equal(isSnapshotOf('/proc', service.pid, process.pid, 0), false)
    assert.equal(isSnapshotOf('/proc', service.pid, service.pid, 0), false)
    assert.equal(isSnapshotOf('/proc', service.pid, other.pid, nowTicks('/proc') + 100), false)
    assert.equal(isSnapshotOf('/proc', service.pid, other.pid, 0), true)
  } finally {
    await stopWell(service)
    await stopWell(other)
  }
})

test('two captures at once: the second is told who is at it', { skip }, async () => {
  const settings = await captureSettings()
  const service = await startTarget(python, 'service', 'idle')
  try {
    const first = captureProcess(service.pid, settings)
    const second = await captureProcess(service.pid, settings)
    assert.ok(second.kind === 'failed' && second.reason === 'busy')
    assert.equal((await first).kind, 'captured')
  } finally {
    await stopWell(service)
  }
})

test(
  'two daemons with run directories of their own share a service without hurting it',
  { skip },
  async () => {
    const service = await startTarget(python, 'service', 'timers')
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-two-'))
    const captureOften = async (name: string): Promise<void> => {
      for (let n = 0; n < 10; n++) {
        const settings = await captureSettings({
          runDir: join(scratch, name),
          kinds: ['stacks'],
          lockTimeoutMs: 5000,
        })
        const outcome = await captureProcess(service.pid, settings)
        assert.equal(outcome.kind, 'captured', JSON.stringify(outcome))
      }
    }
    try {
      await Promise.all(['one', 'two'].map(captureOften))
    } finally {
      await stopWell(service)
      rmSync(scratch, { recursive: true })
    }
  },
)

test('stacks alone are quick and leave the heap uncounted', { skip }, async () => {
  const settings = await captureSettings({ kinds: ['stacks'] })
  const service = await startTarget(python, 'service', 'threads')
  try {
    const outcome = await captureProcess(service.pid, settings)
    assert.ok(outcome.kind === 'captured', JSON.stringify(outcome))
    assert.equal(outcome.census.complete, true)
    assert.deepEqual(outcome.census.types, [])
    assert.equal(outcome.census.stacks.filter(({ name }) => name.startsWith('worker-')).length, 8)
  } finally {
    await stopWell(service)
  }
})

for (const state of ['idle', 'busy'])
  test(`PID 1 of a container that is ${state} has no zombie afterwards`, { skip }, async (t) => {
    const file = new URL('../targets/service.py', import.meta.url).pathname
    const outer = new RunningService('unshare', ['--pid', '--fork', '--mount-proc', python, file, state])
    try {
      await outer.said('ready')
    } catch {
      return t.skip(`cannot make a pid namespace: ${outer.output}`)
    }
    try {
      const [child = ''] = childrenOf(outer.pid)
      const pid = Number(child.split(' ')[0])
      const settings = await captureSettings()
      for (let n = 0; n < 5; n++) assert.equal((await captureProcess(pid, settings)).kind, 'captured')
      assert.deepEqual(childrenOf(pid), [])
      assert.match(readStat(pid), /\) [SR] /)
      process.kill(pid, 'SIGTERM')
      await outer.said('"bad"')
      const report = JSON.parse(outer.output.trim().split('\n').at(-1) ?? '') as { bad: string[] }
      assert.deepEqual(report.bad, [])
    } finally {
      await outer.stop()
    }
  })

test('a service that dies while it is captured costs the daemon nothing', { skip }, async () => {
  for (let delayMs = 0; delayMs < 600; delayMs += 60) {
    const settings = await captureSettings()
    const service = await startTarget(python, 'service', 'busy')
    const captured = captureProcess(service.pid, settings)
    await sleep(delayMs)
    service.process.kill('SIGKILL')
    const outcome = await captured
    // Either it was cloned before, and its snapshot tells everything, or it is gone.
    if (outcome.kind === 'failed') assert.equal(outcome.reason, 'gone', JSON.stringify(outcome))
    await service.stop()
  }
  assert.deepEqual(strayProcesses(), [])
})

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
