import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { RunningService, readStat, startTarget, strayProcesses } from '../setup/service.ts'

const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname
const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'

type Bench = {
  readonly config: string
  readonly store: string
  readonly write: (rules: string) => void
  readonly remove: () => void
}

function makeBench(): Bench {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-daemon-'))
  const store = join(scratch, 'store')
  const config = join(scratch, 'config.yaml')
  return {
    config,
    store,
    write: (rules) =>
      writeFileSync(
        config,
        `store: { dir: ${store}, reserve: 16MiB }
sampling: { interval: 100ms, discovery: 200ms }
targets: [{ name: service, match: { cmdline: 'targets/service\\.py' } }]
baseline: off
${rules}
`,
      ),
    remove: () => rmSync(scratch, { recursive: true }),
  }
}

const startDaemon = (config: string): RunningService =>
  new RunningService(process.execPath, [watchd, '--config', config])

const listDumps = (store: string): string[] =>
  existsSync(join(store, 'service')) ? readdirSync(join(store, 'service')).toSorted() : []

async function awaitDumps(store: string, count: number): Promise<string[]> {
  for (let tries = 0; tries < 400; tries++) {
    const dumps = listDumps(store).filter((name) => !name.endsWith('.partial'))
    if (dumps.length >= count) return dumps
    await sleep(50)
  }
  throw new Error(`${listDumps(store).length} dumps instead of ${count}`)
}

async function endService(service: RunningService): Promise<void> {
  const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
  assert.deepEqual(report.bad, [])
}

test(
  'a daemon that is killed at any moment hurts nobody, and the next one cleans up after it',
  { skip },
  async () => {
    const bench = makeBench()
    bench.write('rules: [{ name: big, when: { rss: { above: 1MiB } }, for: 0s }]')
    const service = await startTarget('/usr/bin/python3', 'service', 'threads')
    try {
      for (let delayMs = 350; delayMs < 2000; delayMs += 110) {
        const daemon = startDaemon(bench.config)
        await sleep(delayMs)
        daemon.process.kill('SIGKILL')
        await sleep(300)
        assert.doesNotMatch(readStat(service.pid), /\) [Tt] /, `left stopped after ${delayMs} ms`)
        assert.ok(service.isAlive)
        rmSync(join(bench.store, '.state.json'), { force: true })
      }
      const before = listDumps(bench.store).filter((name) => !name.endsWith('.partial')).length
      const daemon = startDaemon(bench.config)
      await awaitDumps(bench.store, before + 1)
      await daemon.stop()
      assert.deepEqual(
        listDumps(bench.store).filter((name) => name.endsWith('.partial')),
        [],
      )
      assert.deepEqual(strayProcesses(), [])
    } finally {
      await endService(service)
      bench.remove()
    }
  },
)

test(
  'cool-downs and latches outlive a restart, and the log says one JSON object a line',
  { skip },
  async () => {
    const bench = makeBench()
    bench.write('rules: [{ name: big, when: { rss: { above: 1MiB } }, for: 0s, cooldown: 1h }]')
    const service = await startTarget('/usr/bin/python3', 'service', 'idle')
    try {
      const first = startDaemon(bench.config)
      await awaitDumps(bench.store, 1)
      await first.said('dump published')
      await first.stop()
      assert.equal(first.process.exitCode, 0)
      for (const line of first.output.trim().split('\n')) assert.equal(typeof JSON.parse(line), 'object')
      const second = startDaemon(bench.config)
      await second.said('process found')
      await sleep(1000)
      await second.stop()
      assert.equal(listDumps(bench.store).length, 1)
    } finally {
      await endService(service)
      bench.remove()
    }
  },
)

test('SIGHUP takes a new configuration, and a broken one leaves the old in force', { skip }, async () => {
  const bench = makeBench()
  bench.write('rules: [{ name: big, when: { rss: { above: 100GiB } } }]')
  const service = await startTarget('/usr/bin/python3', 'service', 'idle')
  const daemon = startDaemon(bench.config)
  try {
    await daemon.said('process found')
    bench.write('rulez: []')
    daemon.process.kill('SIGHUP')
    await daemon.said('the old one stays in force')
    bench.write('rules: [{ name: small, when: { rss: { above: 1MiB } }, for: 0s }]')
    daemon.process.kill('SIGHUP')
    const [dump = ''] = await awaitDumps(bench.store, 1)
    assert.match(dump, /^\d{8}T\d{6}Z-\d+-small$/)
    const manifest = JSON.parse(readFileSync(join(bench.store, 'service', dump, 'dump.json'), 'utf8')) as {
      started_at: string
      pause_ms: number
      files: { name: string; sha256: string }[]
    }
    assert.match(manifest.started_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.ok(manifest.pause_ms > 0 && manifest.pause_ms < 2000)
    assert.ok(manifest.files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256)))
  } finally {
    await daemon.stop()
    await endService(service)
    bench.remove()
  }
})

test(
  'a second daemon on the same store is refused, until the first has ended or was killed',
  { skip },
  async () => {
    const bench = makeBench()
    bench.write('rules: []')
    const first = startDaemon(bench.config)
    let third: RunningService | undefined
    try {
      await first.said('watching')
      const second = startDaemon(bench.config)
      await once(second.process, 'close')
      assert.equal(second.process.exitCode, 6)
      assert.match(second.output, new RegExp(`"by":${first.pid},.*another daemon uses this store`))
      first.process.kill('SIGKILL')
      await once(first.process, 'close')
      third = startDaemon(bench.config)
      await third.said('watching')
      await third.stop()
      assert.deepEqual(
        readdirSync(bench.store).filter((name) => name.includes('lock')),
        [],
      )
    } finally {
      await first.stop()
      await third?.stop()
      bench.remove()
    }
  },
)

test('a baseline and a scheduled capture are taken, and growth is told against them', { skip }, async () => {
  const bench = makeBench()
  bench.write("rules: [{ name: every-second, when: { schedule: { cron: '* * * * * *' } }, cooldown: 0s }]")
  const service = await startTarget('/usr/bin/python3', 'service', 'idle')
  const daemon = startDaemon(bench.config)
  try {
    const dumps = await awaitDumps(bench.store, 2)
    assert.ok(
      dumps.every((name) => name.endsWith('-every-second')),
      dumps.join(),
    )
    const findings = JSON.parse(
      readFileSync(join(bench.store, 'service', dumps[1] ?? '', 'findings.json'), 'utf8'),
    ) as { baseline?: string; verdict: string }
    assert.equal(findings.baseline, `service/${dumps[0]}`)
    assert.equal(findings.verdict, 'no-growth')
  } finally {
    await daemon.stop()
    await endService(service)
    bench.remove()
  }
})
