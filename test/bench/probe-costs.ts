import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { installation } from '../../src/installation.ts'
import type { ProbeEvent } from '../../src/observe/probe/probe.ts'
import { bpftraceProbe } from '../../src/observe/probe/run-bpftrace.ts'
import { RunningService, readStat } from '../setup/service.ts'

const PYTHON = '/usr/bin/python3'
const MIB = 2 ** 20
const here = (name: string): string => new URL(name, import.meta.url).pathname
const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname

/** How long after a process passed its threshold the verdict fell, at an interval of 10 s; in milliseconds. */
export async function measureLatency(
  mbPerSecond: number,
  thresholdMib: number,
  probe: 'on' | 'off',
): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-latency-'))
  const config = join(scratch, 'config.yaml')
  writeFileSync(
    config,
    `store: { dir: ${scratch}/store, reserve: 16MiB }
sampling: { interval: 10s, fastest: ${probe === 'on' ? '100ms' : '10s'}, probe: ${probe} }
targets: [{ name: leak, match: { cmdline: 'bench/crossing\\.py' } }]
rules: [{ name: big, when: { rss: { above: ${thresholdMib}MiB } }, for: 0s }]
baseline: off
`,
  )
  const daemon = new RunningService(process.execPath, [watchd, '--config', config])
  await daemon.said(probe === 'on' ? 'the probe is attached' : 'watching')
  const leak = new RunningService(PYTHON, [
    here('crossing.py'),
    String(mbPerSecond),
    String(thresholdMib * MIB),
  ])
  try {
    await leak.said('crossed', 120_000)
    await daemon.said('capture begins', 60_000)
    const line = daemon.output.split('\n').find((text) => text.includes('capture begins')) ?? ''
    const { time } = JSON.parse(line) as { time: string }
    return Date.parse(time) - Number(/crossed ([\d.]+)/.exec(leak.output)?.[1])
  } finally {
    leak.process.kill('SIGKILL')
    await leak.stop()
    await daemon.stop()
    rmSync(scratch, { recursive: true })
  }
}

export type Work = 'dicts' | 'fill' | 'fork'

/** Time with the probe on over time with it off, of the best of so many turns each. */
export async function measureOverhead(work: Work, program: Program, turns: number): Promise<number> {
  const best = { on: Infinity, off: Infinity }
  for (let turn = 0; turn < turns; turn++) {
    best.off = Math.min(best.off, await doWork(work))
    const listening = await attach(program)
    best.on = Math.min(best.on, await doWork(work))
    listening.stop()
    await sleep(200)
  }
  return best.on / best.off
}

async function doWork(work: Work): Promise<number> {
  const { stdout } = await execa(PYTHON, [here('probe_work.py'), work, '1.5'])
  return Number(stdout.split(' ')[0])
}

export type Program = { readonly name: string; readonly parameters: readonly number[] }

export const IDLE_RSS: Program = { name: 'rss.bt', parameters: [2 ** 40, 16 * MIB] }
export const ADDRESS_SPACE: Program = { name: 'address-space.bt', parameters: [16 * MIB] }

type Listening = { readonly events: ProbeEvent[]; readonly stop: () => void }

async function attach({ name, parameters }: Program): Promise<Listening> {
  const events: ProbeEvent[] = []
  const probe = bpftraceProbe({ file: join(installation.bpf, name), parameters })
  const { stop } = probe(
    (event) => events.push(event),
    () => undefined,
  )
  while (!events.some(({ kind }) => kind === 'attached')) await sleep(10)
  await sleep(200)
  return { events, stop }
}

export type Footprint = { readonly rssBytes: number; readonly idle: number; readonly busy: number }

/** What bpftrace itself takes: memory, and shares of a CPU while nothing grows and while one process grows 200 MB/s. */
export async function measureFootprint(): Promise<Footprint> {
  const { stop } = await attach({ name: 'rss.bt', parameters: [64 * MIB, 16 * MIB] })
  const pid = Number((await execa('pgrep', ['-n', '-x', 'bpftrace'])).stdout)
  const idle = await cpuShare(pid)
  const leak = new RunningService(PYTHON, [here('crossing.py'), '200', String(2 ** 40)])
  await sleep(3000)
  const busy = await cpuShare(pid)
  leak.process.kill('SIGKILL')
  await leak.stop()
  const rssBytes =
    1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1])
  stop()
  return { rssBytes, idle, busy }
}

async function cpuShare(pid: number): Promise<number> {
  const before = cpuSeconds(pid)
  await sleep(5000)
  return (cpuSeconds(pid) - before) / 5
}

/** User and system time of a process. */
export function cpuSeconds(pid: number): number {
  const stat = readStat(pid)
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export type Storm = { readonly perSecond: number; readonly lost: number }

/** What comes of some 10,000 events a second for 5 s: every fresh page of a process is told of. */
export async function measureStorm(): Promise<Storm> {
  const listening = await attach({ name: 'rss.bt', parameters: [1, 1] })
  const began = performance.now()
  await execa(PYTHON, [here('probe_work.py'), 'touch', '5'])
  const seconds = (performance.now() - began) / 1000
  await sleep(1000)
  listening.stop()
  const growth = listening.events.filter(({ kind }) => kind === 'growth').length
  const lost = listening.events.reduce((sum, event) => sum + (event.kind === 'lost' ? event.events : 0), 0)
  return { perSecond: (growth + lost) / seconds, lost }
}
