import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { execaSync } from 'execa'
import { installation } from '../../../src/installation.ts'
import type { Probe, ProbeEnd, ProbeEvent } from '../../../src/observe/probe/probe.ts'
import { bpftraceProbe } from '../../../src/observe/probe/run-bpftrace.ts'
import { ftraceProbe } from '../../../src/observe/probe/run-ftrace.ts'
import { RunningService, startTarget } from '../../setup/service.ts'
import { whyNoTracing } from '../../setup/tracing.ts'

const skip = whyNoTracing('bpftrace')
const MIB = 2 ** 20
const bpf = (name: string): string => join(installation.bpf, name)
const INSTANCES = '/sys/kernel/tracing/instances'

/** A probe that runs, and what it has said so far. */
class Listening {
  readonly events: ProbeEvent[] = []
  readonly ends: ProbeEnd[] = []
  readonly stop: () => void

  constructor(probe: Probe) {
    const running = probe(
      (event) => this.events.push(event),
      (end) => this.ends.push(end),
    )
    this.stop = running.stop
  }

  async until(isIt: (event: ProbeEvent) => boolean, withinMs = 20_000): Promise<ProbeEvent> {
    for (const end = performance.now() + withinMs; performance.now() < end; await sleep(5)) {
      const found = this.events.find(isIt)
      if (found) return found
    }
    throw new Error(`not seen: ${JSON.stringify([this.events.slice(-5), this.ends])}`)
  }
}

/** To 0.20 there is `-d`, which parses; from 0.21 on `--dry-run`, which attaches as well. */
const parsing = (): string => {
  const version = execaSync('bpftrace', ['--version']).stdout
  return Number(/v0\.(\d+)/.exec(version)?.[1] ?? 99) < 21 ? '-d' : '--dry-run'
}

for (const file of readdirSync(installation.bpf).filter((name) => name.endsWith('.bt')))
  test(`bpftrace understands ${file}`, { skip }, () => {
    const { exitCode, stderr } = execaSync('bpftrace', [parsing(), bpf(file), '1', '1'], { reject: false })
    assert.equal(exitCode, 0, stderr)
  })

const PROBES: readonly (readonly [string, Probe])[] = [
  ['rss.bt', bpftraceProbe({ file: bpf('rss.bt'), parameters: [48 * MIB, 4 * MIB] })],
  ['address-space.bt', bpftraceProbe({ file: bpf('address-space.bt'), parameters: [4 * MIB] })],
  ['ftrace', ftraceProbe({ procRoot: '/proc', floorBytes: 48 * MIB, stepBytes: 4 * MIB })],
]

for (const [name, probe] of PROBES)
  test(`${name} tells of a process that grows, by its pid, and again a step later`, { skip }, async () => {
    const listening = new Listening(probe)
    await listening.until(({ kind }) => kind === 'attached')
    await sleep(100) // bpftrace to 0.23 says that it is attached a moment before it is
    const service = await startTarget('/usr/bin/python3', 'leak', '100')
    try {
      const isOurs = (event: ProbeEvent): boolean => event.kind === 'growth' && event.pid === service.pid
      await listening.until(isOurs)
      while (listening.events.filter(isOurs).length < 6) await sleep(10)
      const sizes = listening.events.filter(isOurs).map((event) => ('bytes' in event ? event.bytes : 0))
      if (name !== 'address-space.bt')
        for (const [index, size] of sizes.slice(1).entries()) {
          const step = size - (sizes[index] ?? 0)
          assert.ok(step >= 4 * MIB && step < 12 * MIB, String(sizes))
        }
    } finally {
      await killed(service)
      listening.stop()
    }
    assert.deepEqual(listening.ends, [])
  })

async function killed(service: RunningService): Promise<void> {
  service.process.kill('SIGKILL')
  await service.stop()
}

test(
  'rss.bt is silent about a child that begins with the memory of its parent, and tells of ends',
  { skip },
  async () => {
    const listening = new Listening(bpftraceProbe({ file: bpf('rss.bt'), parameters: [48 * MIB, 4 * MIB] }))
    await listening.until(({ kind }) => kind === 'attached')
    await sleep(100)
    const program = `
import os, subprocess
held = bytearray(b"x") * (80 << 20)
if os.fork() == 0:
    held[::4096] = held[::4096]  # which copies every page
    os._exit(0)
os.wait()
subprocess.run(["/bin/true"])
print("pid", os.getpid(), flush=True)
`
    const { stdout } = execaSync('/usr/bin/python3', ['-c', program])
    const pid = Number(stdout.split(' ')[1])
    await listening.until((event) => event.kind === 'exit' && event.pid === pid)
    listening.stop()
    const growers = new Set(listening.events.flatMap((event) => (event.kind === 'growth' ? [event.pid] : [])))
    assert.ok(growers.has(pid))
    assert.ok(![...growers].some((grower) => grower > pid && grower < pid + 3), [...growers].join(' '))
  },
)

test('a bpftrace that is killed is told of, and one that cannot attach says why', { skip }, async () => {
  const listening = new Listening(bpftraceProbe({ file: bpf('rss.bt'), parameters: [2 ** 40, 2 ** 40] }))
  await listening.until(({ kind }) => kind === 'attached')
  execaSync('pkill', ['-KILL', '-f', `^bpftrace .*${2 ** 40}`])
  while (listening.ends.length === 0) await sleep(5)
  assert.equal(listening.ends[0]?.wasAttached, true)
  const broken = new Listening(bpftraceProbe({ file: bpf('missing.bt'), parameters: [] }))
  while (broken.ends.length === 0) await sleep(5)
  assert.equal(broken.ends[0]?.wasAttached, false)
  assert.match(broken.ends[0]?.detail ?? '', /missing\.bt/)
})

test(
  'an instance of ftrace is gone after it, and the one that a killed daemon left is removed',
  { skip },
  async () => {
    const probe = ftraceProbe({ procRoot: '/proc', floorBytes: 2 ** 40, stepBytes: MIB })
    const left = join(INSTANCES, 'pyheap-watchd-4194305') // more than any pid can be
    execaSync('mkdir', ['-p', left])
    const listening = new Listening(probe)
    await listening.until(({ kind }) => kind === 'attached')
    assert.deepEqual(ours(), [`pyheap-watchd-${process.pid}`])
    listening.stop()
    for (let waited = 0; ours().length > 0 && waited < 2000; waited += 10) await sleep(10)
    assert.deepEqual(ours(), [])
  },
)

const ours = (): string[] => readdirSync(INSTANCES).filter((name) => name.startsWith('pyheap-watchd-'))

test('python-gc.bt tells every collection of a Python that has its probes', { skip }, async () => {
  const script = execaSync('sed', [`s|/usr/bin/python3|${await realPython()}|`, bpf('python-gc.bt')]).stdout
  const tracer = new RunningService('bpftrace', ['-e', script])
  await tracer.said('Attaching')
  await sleep(1500) // it does not say when it is attached
  const program = 'import gc\nfor _ in range(5): gc.collect()'
  execaSync('/usr/bin/python3', ['-c', program])
  await tracer.said('gc generation 2')
  tracer.process.kill('SIGINT')
  await tracer.stop()
  const collections = [...tracer.output.matchAll(/gc generation (\d) +(\d+) us +(\d+) unreachable/g)]
  assert.ok(collections.filter(([, generation]) => generation === '2').length >= 5, tracer.output)
})

const realPython = async (): Promise<string> => execaSync('readlink', ['-f', '/usr/bin/python3']).stdout
