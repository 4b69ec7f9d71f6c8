import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { continueIfStopped } from '../../src/capture/continue-if-stopped.ts'
import { readStat } from '../setup/service.ts'

const stateOf = (pid: number): string | undefined => /\) (\S)/.exec(readStat(pid))?.[1]

async function withSleeper(act: (pid: number) => Promise<void>): Promise<void> {
  const sleeper = spawn('sleep', ['60'])
  await once(sleeper, 'spawn')
  try {
    await act(sleeper.pid ?? 0)
  } finally {
    sleeper.kill('SIGKILL')
  }
}

for (const wasLetGo of [true, false])
  test(`a process that stands still runs again, ${wasLetGo ? 'let go by gdb' : 'its gdb killed'}`, () =>
    withSleeper(async (pid) => {
      process.kill(pid, 'SIGSTOP')
      while (stateOf(pid) !== 'T') await sleep(1)
      await continueIfStopped('/proc', pid, wasLetGo)
      assert.notEqual(stateOf(pid), 'T')
    }))

test('a process whose gdb was killed may stop a moment later, and runs again', () =>
  withSleeper(async (pid) => {
    const stops = sleep(60).then(() => process.kill(pid, 'SIGSTOP'))
    await Promise.all([stops, continueIfStopped('/proc', pid, false)])
    assert.notEqual(stateOf(pid), 'T')
  }))

test('a stop that is on its way to a thread which does not get to run is taken back', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pyheap-proc-'))
  const sent = t.mock.method(process, 'kill', () => true)
  try {
    for (const [tid, pending] of [
      [42, '0000000000000000'],
      [43, '0000000000040000'],
    ] as const) {
      mkdirSync(join(root, `42/task/${tid}`), { recursive: true })
      const status = `Name:\tx\nState:\tR (running)\nTracerPid:\t0\nSigPnd:\t${pending}\n`
      writeFileSync(join(root, `42/task/${tid}/status`), status)
    }
    await continueIfStopped(root, 42, false)
    assert.deepEqual(
      sent.mock.calls.map((call) => call.arguments),
      [[42, 'SIGCONT']],
    )
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('a process that runs is sent nothing', (t) =>
  withSleeper(async (pid) => {
    const sent = t.mock.method(process, 'kill')
    await continueIfStopped('/proc', pid, true)
    await continueIfStopped('/proc', pid, false)
    assert.equal(sent.mock.callCount(), 0)
  }))
