import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RunningService } from '../setup/service.ts'
import { createNotifier } from '../../src/service/notify.ts'

/** A service manager's socket: Node has no datagrams of this kind. */
const LISTEN = `import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('ready', flush=True)
while True:
    text = s.recv(4096).decode()
    if not text.startswith('BARRIER'): print(text.replace('\\n', ' | '), flush=True)
`

async function listening(
  act: (env: NodeJS.ProcessEnv, heard: () => readonly string[]) => Promise<void>,
): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-notify-'))
  const socket = join(scratch, 'notify')
  const manager = new RunningService('/usr/bin/python3', ['-c', LISTEN, socket])
  try {
    await manager.said('ready')
    await act({ PATH: process.env['PATH'], NOTIFY_SOCKET: socket, WATCHDOG_USEC: '6000000' }, () =>
      manager.output.trim().split('\n').slice(1),
    )
  } finally {
    await manager.stop()
    rmSync(scratch, { recursive: true })
  }
}

test('the manager hears that we are ready, alive, and how things are; children cannot speak for us', () =>
  listening(async (env, heard) => {
    const notifier = createNotifier(env)
    assert.equal(notifier.watchdogMs, 6000)
    assert.deepEqual(Object.keys(env), ['PATH'])
    notifier.ready()
    for (let tries = 0; heard().length < 1 && tries < 100; tries++) await sleep(20)
    notifier.status('watching 3 processes')
    notifier.alive()
    for (let tries = 0; !heard().join().includes('WATCHDOG') && tries < 100; tries++) await sleep(20)
    assert.equal(heard()[0], 'READY=1')
    assert.match(heard().join('\n'), /STATUS=watching 3 processes/)
    assert.match(heard().join('\n'), /WATCHDOG=1/)
  }))

test('a flood of changes costs few processes, and the last one is what stays', () =>
  listening(async (env, heard) => {
    const notifier = createNotifier(env)
    for (let n = 0; n < 500; n++) notifier.status(`line ${n}`)
    for (let tries = 0; !heard().join().includes('line 499') && tries < 200; tries++) await sleep(20)
    assert.equal(heard().at(-1), 'STATUS=line 499')
    assert.ok(heard().length <= 3, heard().join())
  }))

test('without a service manager nothing happens, and a watchdog that is for another process is none of ours', () => {
  createNotifier({}).ready()
  assert.equal(createNotifier({ WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }).watchdogMs, undefined)
})
