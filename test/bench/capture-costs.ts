// What a capture costs a service, at heaps of several sizes, beside what older tools cost it.
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { Captured } from '../../src/model.ts'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { RunningService } from '../setup/service.ts'

const here = new URL('.', import.meta.url).pathname

/** Medians of some captures of one busy service. */
export type CaptureCosts = {
  readonly rssBytes: number
  readonly objects: number
  /** Longest gap seen inside the service, with a census injected by plain gdb and with a snapshot. */
  readonly inlineGapMs: number
  readonly gapMs: number
  /** What the service got done while it was captured, of what it gets done otherwise. */
  readonly throughput: number
  /** From the verdict to the clone: with gdb started for it, and with one that was ready. */
  readonly coldMs: number
  readonly warmMs: number
  readonly copiedBytes: number
  readonly censusMs: number
}

/** Captures a service with so many million instances `runs` times each way. */
export async function measureCapture(
  python: string,
  millions: number,
  runs: number,
  scratch: string,
): Promise<CaptureCosts> {
  const file = join(scratch, 'shared')
  writeFileSync(file, Buffer.alloc(16))
  const shared = openSync(file, 'r+')
  const service = new RunningService(python, [join(here, 'heap.py'), file, String(millions)])
  try {
    await service.said('ready', 600_000)
    await sleep(1000)
    const quiet = await observe(shared, () => sleep(3000))
    const inline: number[] = []
    const ours: (Observed<Captured> & { readonly isWarm: boolean })[] = []
    for (let n = 0; n < runs; n++) {
      for (const isWarm of [false, true])
        ours.push({ ...(await observe(shared, () => captureWell(service.pid, isWarm))), isWarm })
      inline.push((await observe(shared, () => injectInline(service.pid))).gapMs)
    }
    const results = ours.map(({ result }) => result)
    const latencies = (warm: boolean): number[] =>
      ours.filter(({ isWarm }) => isWarm === warm).map(({ result }) => latencyOf(result))
    return {
      rssBytes: results[0]?.memoryMap.rows.reduce((sum, { rssBytes }) => sum + rssBytes, 0) ?? 0,
      objects: results[0]?.census.objects ?? 0,
      inlineGapMs: median(inline),
      gapMs: median(ours.map(({ gapMs }) => gapMs)),
      throughput: median(ours.map(({ roundsPerSecond }) => roundsPerSecond)) / quiet.roundsPerSecond,
      coldMs: median(latencies(false)),
      warmMs: median(latencies(true)),
      copiedBytes: median(results.map(({ copiedBytes }) => copiedBytes ?? Number.NaN)),
      censusMs: median(results.map((captured) => phaseOf(captured, 'census in the snapshot'))),
    }
  } finally {
    closeSync(shared)
    await service.stop()
  }
}

async function captureWell(pid: number, isWarm: boolean): Promise<Captured> {
  const settings = await captureSettings({ timeoutMs: 600_000 })
  const ready = isWarm ? await settings.openGdb() : undefined
  const outcome = await captureProcess(pid, ready ? { ...settings, openGdb: async () => ready } : settings)
  if (outcome.kind === 'failed') throw new Error(outcome.detail)
  return outcome
}

const phaseOf = ({ phases }: Captured, wanted: string): number =>
  phases.find(({ name }) => name === wanted)?.ms ?? Number.NaN

const latencyOf = (captured: Captured): number =>
  ['check and resolve symbols', 'get gdb', 'request and clone']
    .map((name) => phaseOf(captured, name))
    .reduce((sum, ms) => sum + ms, 0)

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

type Observed<T> = { readonly result: T; readonly gapMs: number; readonly roundsPerSecond: number }

/** Does something while the service watches its own clock. */
async function observe<T>(shared: number, act: () => Promise<T>): Promise<Observed<T>> {
  const before = readShared(shared)
  writeSync(shared, Buffer.alloc(8), 0, 8, 0)
  const began = performance.now()
  const result = await act()
  const seconds = (performance.now() - began) / 1000
  await sleep(50)
  const after = readShared(shared)
  return { result, gapMs: after.gapNs / 1e6, roundsPerSecond: (after.rounds - before.rounds) / seconds }
}

function readShared(fd: number): { readonly gapNs: number; readonly rounds: number } {
  const bytes = Buffer.alloc(16)
  // struct.pack_into writes zeros first, which may be what is read.
  for (let tries = 0; tries < 1000 && bytes.readBigUInt64LE(8) === 0n; tries++) readSync(fd, bytes, 0, 16, 0)
  return { gapNs: Number(bytes.readBigUInt64LE(0)), rounds: Number(bytes.readBigUInt64LE(8)) }
}

/** What older tools do: the census runs inside the service, which gdb holds for as long as it takes. */
async function injectInline(pid: number): Promise<void> {
  const code = JSON.stringify(`exec(open(${JSON.stringify(join(here, 'census_inline.py'))}).read(), {})`)
  const calls = [
    'set $gil = (int)PyGILState_Ensure()',
    `call (int)PyRun_SimpleString(${code})`,
    'call (void)PyGILState_Release($gil)',
  ]
  const { stdout } = await execa(
    'gdb',
    [
      '-nx',
      '-batch',
      '-iex',
      'set debuginfod enabled off',
      '-iex',
      'handle all nostop noprint pass',
      '-p',
      String(pid),
      ...calls.flatMap((call) => ['-ex', call]),
    ],
    { reject: false, stdin: 'ignore' },
  )
  if (!/\$1 = 0/.test(stdout)) throw new Error(`the plain injection did not work: ${stdout.slice(-500)}`)
}
