import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { before, test } from 'node:test'
import { GdbSession } from '../../src/capture/gdb-session.ts'
import { createOpenGdb } from '../../src/capture/open-gdb.ts'
import { WarmGdb } from '../../src/capture/warm-gdb.ts'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { childrenOf, readStat, startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const minute = 60_000
const open = createOpenGdb(20_000)

// The first one asks gdb for its version besides, which would be counted as well.
before(async () => {
  const gdb = await open()
  assert.ok(gdb instanceof GdbSession)
  await gdb.close()
})

/** Our own gdbs that live, by pid. */
const gdbs = (): number[] =>
  childrenOf(process.pid)
    .filter((stat) => /^\d+ \(gdb\) [^Z]/.test(stat))
    .map((stat) => Number(stat.split(' ')[0]))

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !isSo(); tries++) await sleep(20)
  assert.ok(isSo())
}

test('a gdb that was warmed up takes a capture, and leaves with it', { skip }, async () => {
  const warm = new WarmGdb(open)
  const service = await startTarget('/usr/bin/python3', 'service', 'idle')
  try {
    assert.equal(warm.keep(true, 0), true)
    assert.equal(warm.keep(true, 1000), false)
    await until(() => gdbs().length === 1)
    const [ready] = gdbs()
    const taken = warm.take()
    const gdb = await taken
    assert.ok(gdb instanceof GdbSession)
    assert.deepEqual(gdbs(), [ready])
    const outcome = await captureProcess(service.pid, await captureSettings({ openGdb: () => taken }))
    assert.equal(outcome.kind, 'captured', JSON.stringify(outcome))
    await until(() => gdbs().length === 0)
  } finally {
    await service.stop()
    await warm.close()
  }
})

test('a warm gdb that has died is replaced, and not in every turn', { skip }, async () => {
  const warm = new WarmGdb(open)
  try {
    warm.keep(true, 0)
    const first = await ended(warm)
    assert.equal(warm.keep(true, 5000), false)
    let isReplaced = false
    await until(() => (isReplaced ||= warm.keep(true, 11_000))) // once its end has been noticed
    await until(() => gdbs().length === 1)
    assert.notEqual(gdbs()[0], first)
    await ended(warm)
    const gdb = await warm.take()
    assert.ok(gdb instanceof GdbSession && !gdb.hasEnded)
    await gdb.close()
  } finally {
    await warm.close()
  }
})

test('a warm gdb ends when nobody has been near a threshold for minutes', { skip }, async () => {
  const warm = new WarmGdb(open)
  warm.keep(true, 0)
  await until(() => gdbs().length === 1)
  warm.keep(false, 4 * minute)
  await sleep(100)
  assert.equal(gdbs().length, 1)
  warm.keep(false, 6 * minute)
  await until(() => gdbs().length === 0)
})

test('what gdb is warmed up with ends with a daemon that is killed', { skip }, async () => {
  const module = new URL('../../src/capture/open-gdb.ts', import.meta.url).href
  for (let delayMs = 300; delayMs < 900; delayMs += 120) {
    const code = `const { createOpenGdb } = await import('${module}'); for (;;) await (await createOpenGdb(20000)()).close()`
    const daemon = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      detached: true,
    })
    await sleep(delayMs + 400)
    daemon.kill('SIGKILL')
    await until(() => sessionOf(daemon.pid ?? 0).length === 0)
  }
})

/** Kills the gdb that is ready, which holds nobody, and answers its pid. */
async function ended(warm: WarmGdb): Promise<number> {
  await until(() => gdbs().length === 1)
  const [pid = 0] = gdbs()
  // It has settled when it is ready to be taken; before that its warm-up would fail.
  await sleep(1000)
  assert.equal(warm.keep(true, 0), false)
  process.kill(pid, 'SIGKILL')
  await until(() => gdbs().length === 0)
  return pid
}

/** Processes of a session, but for zombies. */
const sessionOf = (leader: number): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readStat(pid))
    .filter((stat) => {
      const [state, , , session] = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
      return state !== 'Z' && Number(session) === leader
    })
