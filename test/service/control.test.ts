import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { askDaemon, type DaemonAnswer } from '../../src/commands/daemon-client.ts'
import { type ControlActions, openControl } from '../../src/service/control.ts'

const asked: unknown[] = []
const actions: ControlActions = {
  status: () => ({ is: 'well' }),
  metrics: async () => 'm 1\n',
  explain: (pid) => ({ status: 200, body: { pid } }),
  capture: async (pid, kinds) => {
    asked.push(kinds)
    return { status: 200, body: { pid } }
  },
  guardPod: async (uid) => ({ status: 200, body: { uid } }),
  pause: (forMs) => void asked.push(forMs),
  reload: () => Promise.reject(new Error('broke')),
}

async function inScratch(act: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-control-'))
  try {
    await act(scratch)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

const opened = (act: (path: string) => Promise<void>): Promise<void> =>
  inScratch(async (scratch) => {
    const path = join(scratch, 'run', 'control.sock')
    const control = await openControl(path, undefined, actions)
    assert.equal(control.kind, 'listening')
    try {
      await act(path)
    } finally {
      if (control.kind === 'listening') control.close()
    }
    assert.equal(existsSync(path), false)
  })

const told = (answer: DaemonAnswer): unknown =>
  answer.kind === 'answered' ? [answer.status, answer.body['reason'] ?? answer.body] : answer.detail

test('it is for its owner and its group alone, and so is its folder', () =>
  opened(async (path) => {
    assert.equal(statSync(path).mode & 0o777, 0o660)
    assert.equal(statSync(join(path, '..')).mode & 0o777, 0o750)
  }))

test('it answers what it is asked, and says what is wrong with a question', () =>
  opened(async (path) => {
    const ask = (method: 'GET' | 'POST', at: string, body?: object) =>
      askDaemon(path, method, at, body).then(told)
    assert.deepEqual(await ask('GET', '/status'), [200, { is: 'well' }])
    assert.deepEqual(await ask('GET', '/explain?pid=7'), [200, { pid: 7 }])
    assert.deepEqual(await ask('GET', '/explain?pid=x'), [400, 'malformed'])
    assert.deepEqual(await ask('POST', '/capture', { pid: 7 }), [200, { pid: 7 }])
    assert.deepEqual(asked.pop(), ['census', 'stacks'])
    for (const body of [
      {},
      { pid: '7' },
      { pid: -1 },
      { pid: 7, with: ['core'] },
      { pid: 7, with: [] },
      { pid: 7, x: 1 },
    ])
      assert.deepEqual(await ask('POST', '/capture', body), [400, 'malformed'])
    assert.deepEqual(await ask('POST', '/guard', { pod: '9b2e5c1a-0000' }), [200, { uid: '9b2e5c1a-0000' }])
    for (const body of [{}, { pod: '' }, { pod: '../../etc' }, { pid: 7 }])
      assert.deepEqual(await ask('POST', '/guard', body), [400, 'malformed'])
    assert.deepEqual(await ask('POST', '/pause', { for_ms: 5 }), [200, { paused_for_ms: 5 }])
    assert.deepEqual(await ask('POST', '/pause', { for_ms: 1e12 }), [400, 'malformed'])
    assert.deepEqual(await ask('POST', '/resume'), [200, { paused_for_ms: 0 }])
    assert.deepEqual(await ask('POST', '/reload'), [500, 'defect'])
    assert.deepEqual(await ask('POST', '/capture', { pid: 7, with: ['x'.repeat(20_000)] }), [
      413,
      'too-large',
    ])
    assert.deepEqual(await ask('GET', '/nothing'), [404, 'unknown'])
    assert.deepEqual(await ask('POST', '/status'), [404, 'unknown'])
  }))

test('a socket that a killed daemon left is taken over, that of a living one is not', () =>
  inScratch(async (scratch) => {
    const path = join(scratch, 'control.sock')
    const first = await openControl(path, undefined, actions)
    const second = await openControl(path, undefined, actions)
    assert.deepEqual(second, { kind: 'failed', detail: 'another daemon answers there' })
    assert.deepEqual(told(await askDaemon(path, 'GET', '/status')), [200, { is: 'well' }])
    if (first.kind === 'listening') first.close()
    writeFileSync(path, 'left')
    const third = await openControl(path, undefined, actions)
    assert.equal(third.kind, 'listening')
    if (third.kind === 'listening') third.close()
  }))

test('no socket in a folder that others can write, or that is a link', () =>
  inScratch(async (scratch) => {
    const open = join(scratch, 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    const refused = await openControl(join(open, 's'), undefined, actions)
    assert.match(refused.kind === 'failed' ? refused.detail : '', /can be written by others/)
    mkdirSync(join(scratch, 'real'), 0o750)
    symlinkSync(join(scratch, 'real'), join(scratch, 'link'))
    const linked = await openControl(join(scratch, 'link', 's'), undefined, actions)
    assert.equal(linked.kind, 'failed')
    assert.equal(existsSync(join(scratch, 'real', 's')), false)
  }))

test('who asks is told in words when nobody answers, or nonsense comes', () =>
  inScratch(async (scratch) => {
    const path = join(scratch, 's')
    assert.match(String(told(await askDaemon(path, 'GET', '/status'))), /is it running\?/)
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('SSH-2.0-hello\r\n')
    }).listen(path)
    await once(server, 'listening')
    assert.match(String(told(await askDaemon(path, 'GET', '/status'))), /did not answer/)
    server.close()
  }))
