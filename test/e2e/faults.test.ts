import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askDaemon } from '../../src/commands/daemon-client.ts'
import { verifyDump } from '../../src/store/verify-dump.ts'
import { RunningService, startTarget, strayProcesses } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to mount a small disk'
const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname

/** A store on a disk of its own, whose size and mode can be changed. */
async function onDisk(
  size: string,
  act: (disk: {
    readonly store: string
    readonly config: string
    readonly socket: string
    readonly remount: (options: string) => void
  }) => Promise<void>,
): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-disk-'))
  const disk = join(scratch, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', disk])
  const store = join(disk, 'store')
  const config = join(scratch, 'config.yaml')
  const socket = join(scratch, 'run', 'control.sock')
  writeFileSync(
    config,
    `store: { dir: ${store}, reserve: 1MiB }
sampling: { interval: 200ms, discovery: 400ms, probe: off }
targets: [{ name: service, match: { cmdline: 'targets/service\\.py' } }]
rules: [{ name: big, when: { rss: { above: 1MiB } }, for: 0s, cooldown: 1s }]
limits: { per_process: { max: 1000 }, per_target: { max: 1000 } }
baseline: off
daemon: { socket: ${socket} }
`,
  )
  try {
    await act({
      store,
      config,
      socket,
      remount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, disk]),
    })
  } finally {
    execFileSync('umount', ['-l', disk])
    rmSync(scratch, { recursive: true })
  }
}

const dumpsIn = (store: string): string[] =>
  existsSync(join(store, 'service')) ? readdirSync(join(store, 'service')).toSorted() : []

async function becomes(what: () => boolean, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!what()) {
    if (performance.now() > end) throw new Error(`never: ${what.toString()}`)
    await sleep(50)
  }
}

const start = (config: string): RunningService =>
  new RunningService(process.execPath, [watchd, '--config', config])

const ask = async (socket: string, path: string): Promise<Readonly<Record<string, unknown>>> => {
  const answer = await askDaemon(socket, path === '/reload' ? 'POST' : 'GET', path)
  return answer.kind === 'answered' ? answer.body : { reason: answer.detail }
}

async function assertUnharmed(service: RunningService): Promise<void> {
  const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
  assert.deepEqual(report.bad, [])
  assert.deepEqual(strayProcesses(), [])
}

test('a full disk costs dumps and nothing else, and the rule is still due when there is room', { skip }, () =>
  onDisk('8m', async ({ store, config, socket, remount }) => {
    const service = await startTarget('/usr/bin/python3', 'service', 'idle')
    const daemon = start(config)
    try {
      await daemon.said('"reason":"no-space"')
      const { disk } = (await ask(socket, '/status')) as { disk: { free_bytes: number; is_low: boolean } }
      assert.ok(disk.is_low && disk.free_bytes < 8 * 2 ** 20)
      assert.deepEqual(dumpsIn(store), [])
      remount('size=200m')
      await becomes(() => dumpsIn(store).some((name) => name.endsWith('-big')))
      assert.match(daemon.output, /the disk has no room for dumps/)
      assert.equal((await ask(socket, '/status'))['captured'], 1)
    } finally {
      await daemon.stop()
      assert.equal(daemon.process.exitCode, 0)
      await assertUnharmed(service)
    }
  }),
)

test('a disk that turns read-only loses nothing that was published', { skip }, () =>
  onDisk('200m', async ({ store, config, socket, remount }) => {
    const service = await startTarget('/usr/bin/python3', 'service', 'threads')
    const daemon = start(config)
    try {
      await becomes(() => dumpsIn(store).some((name) => name.endsWith('-big')))
      const [first = ''] = dumpsIn(store)
      remount('ro')
      const refused = await askDaemon(socket, 'POST', '/capture', { pid: service.pid })
      assert.equal(refused.kind === 'answered' && refused.status, 507)
      assert.equal(refused.kind === 'answered' && refused.body['reason'], 'read-only')
      remount('rw')
      const taken = await askDaemon(socket, 'POST', '/capture', { pid: service.pid })
      assert.equal(taken.kind === 'answered' && taken.status, 200)
      const all = dumpsIn(store)
      assert.ok(all.includes(first))
      for (const name of all)
        assert.deepEqual(
          await verifyDump(join(store, 'service', name)),
          { kind: 'verified', problems: [] },
          name,
        )
    } finally {
      await daemon.stop()
      await assertUnharmed(service)
    }
  }),
)

test('a storm of reloads, among them broken ones, ends with what the file says last', { skip }, () =>
  onDisk('200m', async ({ config, socket }) => {
    const daemon = start(config)
    try {
      await daemon.said('watching')
      await becomes(() => existsSync(socket))
      const good = `store: { dir: ${join(config, '..', 'disk', 'store')} }\ndaemon: { socket: ${socket} }\n`
      // In one step: an empty file is a valid configuration.
      const write = (text: string): void => {
        writeFileSync(`${config}.new`, text)
        renameSync(`${config}.new`, config)
      }
      for (let n = 0; n < 60; n++) {
        write(
          n % 3 === 0 ? 'rulez: []\n' : `${good}rules: [{ name: r${n}, when: { rss: { above: 1TiB } } }]\n`,
        )
        daemon.process.kill('SIGHUP')
        if (n % 10 === 0) await sleep(30)
      }
      write(`${good}rules: []\n`)
      assert.deepEqual(await ask(socket, '/reload'), { reloaded: true })
      const status = await ask(socket, '/status')
      assert.deepEqual([status['rules'], status['refused']], [0, undefined])
      assert.equal(daemon.output.split('"signal"').length, 1, 'nobody ended it')
    } finally {
      await daemon.stop()
      assert.equal(daemon.process.exitCode, 0)
    }
  }),
)

test('two daemons do not share a socket, and a killed one leaves it to the next', { skip }, () =>
  onDisk('200m', async ({ config, socket, store }) => {
    const first = start(config)
    await becomes(() => existsSync(socket))
    const other = `${config}.other`
    writeFileSync(other, `store: { dir: ${store}-other }\ndaemon: { socket: ${socket} }\n`)
    const second = start(other)
    try {
      await second.said('another daemon answers there')
      first.process.kill('SIGKILL')
      await second.stop()
      const third = start(config)
      await third.said('watching')
      await becomes(() => third.isAlive && existsSync(socket))
      assert.equal((await ask(socket, '/status'))['version'] !== undefined, true)
      await third.stop()
      assert.equal(existsSync(socket), false)
    } finally {
      await second.stop()
    }
  }),
)
