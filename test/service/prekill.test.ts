import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { servePrekill } from '../../src/service/prekill.ts'

/** Sends messages as systemd-oomd does, and answers what came back until `count` replies are there or it is closed. */
async function say(path: string, text: string, count: number): Promise<readonly string[]> {
  const socket = connect(path)
  let said = ''
  socket.on('error', () => undefined)
  socket.on('data', (part) => (said += String(part)))
  await once(socket, 'connect')
  socket.write(text)
  const end = performance.now() + 5000
  while (
    said.split('\0').length <= count &&
    !socket.destroyed &&
    !socket.readableEnded &&
    performance.now() < end
  )
    await new Promise((resolve) => setTimeout(resolve, 10))
  socket.destroy()
  return said.split('\0').filter(Boolean)
}

const message = (method: string, parameters: object = {}): string =>
  `${JSON.stringify({ method, parameters })}\0`

test('it is answered when the capture has ended, in the order of its questions', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-prekill-'))
  const path = join(scratch, 'pyheap')
  const captured: string[] = []
  const hook = servePrekill(
    { path, gid: undefined },
    async (cgroup) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      captured.push(cgroup)
    },
    assert.fail,
  )
  try {
    for (let tries = 0; !existsSync(path) && tries < 100; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const notify = 'io.systemd.oom.Prekill.Notify'
    const both =
      message(notify, { cgroup: '/system.slice/a.service' }) + message('org.varlink.service.GetInfo')
    const [first, second] = await say(path, both, 2)
    assert.deepEqual(JSON.parse(first ?? ''), { parameters: {} })
    assert.match(second ?? '', /"interfaces":\[.*"io\.systemd\.oom\.Prekill"/)
    assert.deepEqual(captured, ['/system.slice/a.service'])
    for (const [text, error] of [
      ['nonsense\0', 'InvalidParameter'],
      [message(notify, { cgroup: 7 }), 'InvalidParameter'],
      [message(notify, { cgroup: 'relative' }), 'InvalidParameter'],
      [message('io.systemd.Machine.List'), 'MethodNotFound'],
    ] as const)
      assert.match((await say(path, text, 1))[0] ?? '', new RegExp(error))
    assert.deepEqual(await say(path, 'x'.repeat(100_000), 1), [], 'who never ends is cut off')
    assert.equal(captured.length, 1)
  } finally {
    hook.close()
    rmSync(scratch, { recursive: true })
  }
})

test('without the folder of systemd-oomd nobody is waited for', () => {
  servePrekill({ path: '/nowhere/at/all', gid: undefined }, async () => undefined, assert.fail).close()
})

test('systemd-oomd, which is not root, may open it by its group', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-prekill-'))
  const path = join(scratch, 'pyheap')
  const hook = servePrekill({ path, gid: process.getgid?.() }, async () => undefined, assert.fail)
  try {
    for (
      let tries = 0;
      (!existsSync(path) || (statSync(path).mode & 0o777) !== 0o660) && tries < 100;
      tries++
    )
      await new Promise((resolve) => setTimeout(resolve, 10))
    const { mode, gid } = statSync(path)
    assert.deepEqual([mode & 0o777, gid], [0o660, process.getgid?.()])
  } finally {
    hook.close()
    rmSync(scratch, { recursive: true })
  }
})
