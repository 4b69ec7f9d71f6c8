import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { execaSync } from 'execa'
import { RunningService, startTarget } from '../setup/service.ts'
import { whyNoTracing } from '../setup/tracing.ts'

const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname
const skip = whyNoTracing('bpftrace', 'setpriv', 'unshare')

/** A daemon that by itself looks once in ten minutes: what it sees sooner the probe has told. */
class Bench {
  readonly scratch = mkdtempSync(join(tmpdir(), 'pyheap-probe-'))
  readonly store = join(this.scratch, 'store')
  readonly config = join(this.scratch, 'config.yaml')

  constructor(sampling = 'interval: 10m, discovery: 10m') {
    writeFileSync(
      this.config,
      `store: { dir: ${this.store}, reserve: 16MiB }
sampling: { ${sampling}, probe: on }
targets: [{ name: leak, match: { cmdline: 'targets/leak\\.py' } }]
rules: [{ name: big, when: { rss: { above: 200MiB } }, for: 0s }]
baseline: off
`,
    )
  }

  /** The environment of a daemon whose bpftrace is of no use. */
  withoutBpftrace(): NodeJS.ProcessEnv {
    const bin = join(this.scratch, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'bpftrace'), '#!/bin/sh\necho "it is too old" >&2\nexit 1\n', { mode: 0o755 })
    return { ...process.env, PATH: `${bin}:${process.env['PATH']}` }
  }

  get dumps(): string[] {
    const directory = join(this.store, 'leak')
    return existsSync(directory) ? readdirSync(directory).filter((name) => !name.endsWith('.partial')) : []
  }

  async awaitDump(withinMs: number): Promise<void> {
    for (const end = performance.now() + withinMs; this.dumps.length === 0; await sleep(20))
      if (performance.now() > end) throw new Error('no dump')
  }
}

async function leakUntilDumped(bench: Bench, daemon: RunningService): Promise<void> {
  const service = await startTarget('/usr/bin/python3', 'leak', '100')
  try {
    await bench.awaitDump(20_000)
  } catch {
    assert.fail(daemon.output)
  } finally {
    service.process.kill('SIGKILL')
    await service.stop()
  }
}

async function endAll(bench: Bench, daemon: RunningService): Promise<void> {
  await daemon.stop()
  rmSync(bench.scratch, { recursive: true })
  // The kernel takes its time to detach what a killed one has attached.
  for (let waited = 0; waited < 5000 && runningBpftraces() !== ''; waited += 50) await sleep(50)
  assert.equal(runningBpftraces(), '')
}

const runningBpftraces = (): string =>
  execaSync('ps', ['-C', 'bpftrace', '-o', 'stat=,pid='], { reject: false })
    .stdout.split('\n')
    .filter((line) => !line.startsWith('Z'))
    .join(' ')

test(
  'a service that began after the daemon and leaks is captured though it is not yet time to look',
  { skip },
  async () => {
    const bench = new Bench()
    const daemon = new RunningService(process.execPath, [watchd, '--config', bench.config])
    try {
      await daemon.said('the probe is attached')
      assert.match(daemon.output, /"means":"bpftrace"/)
      await leakUntilDumped(bench, daemon)
      await daemon.said('process gone') // told by its end, not by the next look
    } finally {
      await endAll(bench, daemon)
    }
  },
)

test('without a bpftrace that works the kernel itself tells, and the log says why', { skip }, async () => {
  const bench = new Bench()
  const daemon = new RunningService(process.execPath, [watchd, '--config', bench.config], {
    env: bench.withoutBpftrace(),
  })
  try {
    await daemon.said('the probe is attached')
    assert.match(daemon.output, /"means":"ftrace","watches":"rss","instead":"it is too old"/)
    await leakUntilDumped(bench, daemon)
  } finally {
    await endAll(bench, daemon)
  }
})

test('where nothing can be attached that is told once, and processes are polled', { skip }, async () => {
  const bench = new Bench('interval: 100ms, discovery: 200ms, probe_kind: address-space')
  const daemon = new RunningService(process.execPath, [watchd, '--config', bench.config], {
    env: bench.withoutBpftrace(),
  })
  try {
    await daemon.said('no probe')
    assert.match(daemon.output, /"level":"warn".*"detail":"it is too old"/)
    await leakUntilDumped(bench, daemon)
    assert.equal(daemon.output.split('no probe').length, 2)
  } finally {
    await endAll(bench, daemon)
  }
})

test('a bpftrace that dies is told of once and started again', { skip }, async () => {
  const bench = new Bench()
  const daemon = new RunningService(process.execPath, [watchd, '--config', bench.config])
  try {
    await daemon.said('the probe is attached')
    execaSync('pkill', ['-KILL', '-x', 'bpftrace'])
    await daemon.said('the probe has ended, and is started again')
    while (daemon.output.split('the probe is attached').length < 3) await sleep(20)
    await leakUntilDumped(bench, daemon)
  } finally {
    await endAll(bench, daemon)
  }
})

test('a daemon that is killed takes its bpftrace along', { skip }, async () => {
  const bench = new Bench()
  const daemon = new RunningService(process.execPath, [watchd, '--config', bench.config])
  await daemon.said('the probe is attached')
  daemon.process.kill('SIGKILL')
  await sleep(500)
  await endAll(bench, daemon)
})

test(
  'in a pid namespace of its own, with pids of others in its ears, the daemon sees growth there',
  { skip },
  async () => {
    const bench = new Bench()
    const leak = new URL('../targets/leak.py', import.meta.url).pathname
    const inside = `${process.execPath} ${watchd} --config ${bench.config} & while ! [ -e ${bench.scratch}/go ]; do sleep 0.1; done; exec python3 ${leak} 100`
    const container = new RunningService('unshare', [
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-c',
      inside,
    ])
    try {
      await container.said('the probe is attached')
      writeFileSync(join(bench.scratch, 'go'), '')
      await bench.awaitDump(20_000).catch(() => assert.fail(container.output))
      const [dump = ''] = bench.dumps
      assert.match(dump, /-1-big$/)
    } finally {
      container.process.kill('SIGKILL')
      await endAll(bench, container)
    }
  },
)
