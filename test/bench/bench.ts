// npm run bench: what a capture costs the service, and what watching costs the host. Every figure is a ratio of two
// measurements in one run, or stands beside the limit that it is held against.
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { Captured } from '../../src/model.ts'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { RunningService, readStat } from '../setup/service.ts'

const here = new URL('.', import.meta.url).pathname
const PYTHON = '/usr/bin/python3'
const MILLIONS = Number(process.env['BENCH_MILLIONS'] ?? 3)
const PROCESSES = Number(process.env['BENCH_PROCESSES'] ?? 1000)
const WATCH_SECONDS = 30
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-bench-'))
const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function benchCapture(): Promise<void> {
  say(`\nA capture of a busy service with ${MILLIONS} million instances (${PYTHON})\n`)
  const file = join(scratch, 'shared')
  writeFileSync(file, Buffer.alloc(16))
  const shared = openSync(file, 'r+')
  const service = new RunningService(PYTHON, [join(here, 'heap.py'), file, String(MILLIONS)])
  await service.said('ready', 300_000)
  await sleep(1000)
  const quiet = await observe(shared, () => sleep(3000))
  const gaps = { inline: [] as number[], ours: [] as number[] }
  let last: { captured: Captured; roundsPerSecond: number } | undefined
  for (let n = 0; n < 3; n++) {
    const settings = await captureSettings({ timeoutMs: 600_000 })
    const ours = await observe(shared, async () => captureProcess(service.pid, settings))
    if (ours.result.kind === 'failed') throw new Error(ours.result.detail)
    gaps.ours.push(ours.gapMs)
    last = { captured: ours.result, roundsPerSecond: ours.roundsPerSecond }
    gaps.inline.push((await observe(shared, () => injectInline(service.pid))).gapMs)
  }
  closeSync(shared)
  await service.stop()
  if (!last) return
  const { captured, roundsPerSecond } = last
  const censusMs = captured.phases.find(({ name }) => name.startsWith('census'))?.ms ?? 0
  const inline = median(gaps.inline)
  const ours = median(gaps.ours)
  say(
    `RSS                                    ${rssMiB(captured)} MiB, ${count(captured.census.objects)} objects`,
  )
  say(`longest gap seen inside the service, median of 3`)
  say(`  plain gdb injection of a census      ${ms(inline)}`)
  say(`  pyheap-watchd                        ${ms(ours)}   (it reports ${ms(captured.pauseMs)})`)
  say(`  ratio                                ${(inline / ours).toFixed(0)} times shorter (goal: 50)`)
  say(
    `service's throughput while the snapshot lives, of its own before   ${percent(roundsPerSecond / quiet.roundsPerSecond)}`,
  )
  say(
    `census                                 ${count(captured.census.objects / (censusMs / 1000))} objects/s, ${ms(censusMs)}`,
  )
}

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
  readSync(fd, bytes, 0, 16, 0)
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

async function benchWatching(): Promise<void> {
  say(`\nWatching ${PROCESSES} Python processes at 1 s, for ${WATCH_SECONDS} s\n`)
  const program = `import os, time
for _ in range(${PROCESSES - 1}):
    if os.fork() == 0: break
print("ready", flush=True)
time.sleep(1e6)`
  const crowd = new RunningService('setsid', [PYTHON, '-c', program])
  await crowd.said('ready', 120_000)
  const config = join(scratch, 'config.yaml')
  writeFileSync(
    config,
    `store: { dir: ${join(scratch, 'store')}, reserve: 16MiB }
rules:
  - { name: high, when: { rss: { above: 100GiB } } }
  - { name: near-limit, when: { limit: { above: 99% } } }
  - { name: slow-leak, when: { growth: { above: 100MiB/m, window: 10m } } }
baseline: off
`,
  )
  const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname
  const daemon = new RunningService(process.execPath, [watchd, '--config', config])
  await daemon.said('process found')
  await sleep(5000)
  const before = cpuSeconds(daemon.pid)
  await sleep(WATCH_SECONDS * 1000)
  const share = (cpuSeconds(daemon.pid) - before) / WATCH_SECONDS
  const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'latin1'))?.[1]
  const found = daemon.output.split('process found').length - 1
  await daemon.stop()
  const ps = await cpuOfPs()
  process.kill(-crowd.pid, 'SIGKILL')
  await crowd.stop()
  say(`processes found                        ${found}`)
  say(`CPU of the daemon                      ${percent(share)} of a core`)
  say(
    `CPU of polling with ps once a second   ${percent(ps)} of a core: ${(ps / share).toFixed(1)} times as much`,
  )
  say(`RSS of the daemon                      ${(Number(rss) / 1024).toFixed(0)} MiB`)
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const stat = readStat(pid)
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** CPU that one ps over all processes takes; the mean of 5. */
async function cpuOfPs(): Promise<number> {
  const { stderr } = await execa('bash', [
    '-c',
    'TIMEFORMAT="%U %S"; time for n in 1 2 3 4 5; do ps -eo pid,rss >/dev/null; done',
  ])
  const [user = 0, system = 0] = stderr.trim().split(' ').map(Number)
  return (user + system) / 5
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0).padStart(7)} ms`
const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
const rssMiB = ({ memoryMap }: Captured): string =>
  (memoryMap.rows.reduce((sum, { rssBytes }) => sum + rssBytes, 0) / 2 ** 20).toFixed(0)

try {
  await benchCapture()
  await benchWatching()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
