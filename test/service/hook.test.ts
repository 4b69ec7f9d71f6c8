import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hook, Notice } from '../../src/model.ts'
import { hookCommand, hookEnvironment, hookReceiver } from '../../src/service/hook.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to become another user'
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-hook-'))
chmodSync(scratch, 0o777)
afterEach(() => rmSync(join(scratch, 'out'), { force: true }))
process.on('exit', () => rmSync(scratch, { recursive: true }))

const notice: Notice = {
  event: 'captured',
  at: '2026-01-01T00:00:00.000Z',
  host: 'web-1',
  message: 'api was captured',
  target: 'api',
  pid: 7,
  headline: 'a\nb \u001b[31m$(touch /tmp/never)',
}
const place = {
  dir: scratch,
  write: async (path: string, text: string) => {
    writeFileSync(path, text, { mode: 0o644 })
    return undefined
  },
  hasGroup: false,
  isSystemd: false,
}
const hook = (script: string, given: Partial<Hook> = {}): Hook => ({
  name: 'h',
  on: ['captured'],
  run: ['/bin/sh', '-c', script],
  user: 'nobody',
  timeoutMs: 10_000,
  ...given,
})
const tell = (given: Hook) => hookReceiver(given, place).tell(notice)

test(
  'it runs as its user without other rights, with the notice in a file that is gone afterwards',
  { skip },
  async () => {
    const script = `id -un >${scratch}/out; cat "$PYHEAP_NOTICE" >>${scratch}/out; echo "$PYHEAP_NOTICE" >>${scratch}/out; grep NoNewPrivs /proc/self/status >>${scratch}/out`
    assert.equal(await tell(hook(script)), undefined)
    const out = readFileSync(join(scratch, 'out'), 'utf8')
    assert.match(out, /^nobody\n/)
    assert.match(out, /"event": "captured"/)
    assert.match(out, /NoNewPrivs:\t1/)
    const file = /^\/.*\.json$/m.exec(out)?.[0] ?? ''
    assert.throws(() => readFileSync(file), /ENOENT/)
  },
)

test(
  'no shell is involved, and nothing of a service reaches the terminal or a line of its own',
  { skip },
  async () => {
    const run = ['/usr/bin/env']
    const problem = await tell(hook('', { run: [...run, '$(exit 3)'] }))
    assert.match(problem ?? '', /exit 127.*\$\(exit 3\)/)
    const { PYHEAP_HEADLINE } = hookEnvironment(notice, '/f')
    assert.equal(PYHEAP_HEADLINE, String.raw`a\x0ab \x1b[31m$(touch /tmp/never)`)
  },
)

test('one that fails says how, with the end of what it said', { skip }, async () => {
  assert.equal(await tell(hook('echo no bucket >&2; exit 4')), 'exit 4: no bucket')
  assert.match((await tell(hook('head -c 100000 /dev/zero | tr "\\0" x; exit 1'))) ?? '', /^exit 1: x{500}…$/)
  assert.match((await tell(hook('', { run: ['/nowhere/program'] }))) ?? '', /nowhere/)
  assert.match((await tell(hook('true', { user: 'nosuchuser' }))) ?? '', /nosuchuser/)
})

test('one that hangs is ended with all that it has started', { skip }, async () => {
  const began = performance.now()
  const problem = await tell(hook(`sleep 97 & trap '' TERM; sleep 98`, { timeoutMs: 1000 }))
  assert.match(problem ?? '', /^ended after 1000 ms/)
  assert.ok(performance.now() - began < 8000)
  await sleep(100)
  const { stdout } = await import('execa').then(({ execa }) => execa('ps', ['-eo', 'args']))
  assert.doesNotMatch(stdout, /sleep 9[78]/)
})

test('under systemd it is a unit of its own, bounded by systemd', () => {
  const command = hookCommand(
    hook('x', { user: 'ops' }),
    { PYHEAP_EVENT: 'oom' },
    { ...place, isSystemd: true, hasGroup: true },
  )
  assert.equal(command[0], 'systemd-run')
  for (const property of [
    'User=ops',
    'SupplementaryGroups=pyheap',
    'RuntimeMaxSec=10',
    'NoNewPrivileges=yes',
  ])
    assert.ok(command.includes(`--property=${property}`), property)
  assert.deepEqual(command.slice(-4), ['--', '/bin/sh', '-c', 'x'])
})
