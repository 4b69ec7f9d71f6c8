// npm run bench: what a capture costs the service, and what watching costs the host. Every figure is a ratio of two
// measurements in one run, or stands beside the limit that it is held against.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { RunningService } from '../setup/service.ts'
import {
  ADDRESS_SPACE,
  cpuSeconds,
  IDLE_RSS,
  measureFootprint,
  measureLatency,
  measureOverhead,
  measureStorm,
} from './probe-costs.ts'
import { type CaptureCosts, measureCapture } from './capture-costs.ts'
import { measureDecide } from './decide-costs.ts'
import { measureGraph } from './graph-costs.ts'

const PYTHON = '/usr/bin/python3'
/** Of instances with an int and a str; 240 bytes each. The defaults make 10 MB, 1 GB and 4 GB. */
const MILLIONS = (process.env['BENCH_MILLIONS'] ?? '0.03,4.4,17.5').split(',').map(Number)
const GRAPH_MILLIONS = Number(process.env['BENCH_GRAPH_MILLIONS'] ?? 3.4)
const OTHERS = Number(process.env['BENCH_OTHERS'] ?? 4000)
const STARTS = 200
const WARM_SECONDS = 120
const PROCESSES = Number(process.env['BENCH_PROCESSES'] ?? 1000)
const WATCH_SECONDS = 30
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-bench-'))
const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function benchCaptures(): Promise<void> {
  say(`\nCaptures of a busy service (${PYTHON}); medians\n`)
  const all: CaptureCosts[] = []
  for (const millions of MILLIONS)
    all.push(await measureCapture(PYTHON, millions, millions > 10 ? 1 : 3, scratch))
  const row = (what: string, tell: (costs: CaptureCosts) => string): void =>
    say(`${what.padEnd(52)}${all.map((costs) => tell(costs).padStart(14)).join('')}`)
  row('RSS', ({ rssBytes }) => mib(rssBytes))
  row('objects', ({ objects }) => `${(objects / 1e6).toFixed(1)} M`)
  row('longest gap in the service, plain gdb injection', ({ inlineGapMs }) => ms(inlineGapMs))
  row('longest gap in the service, pyheap-watchd', ({ gapMs }) => ms(gapMs))
  row('  times shorter (goal: 50)', ({ inlineGapMs, gapMs }) => (inlineGapMs / gapMs).toFixed(0))
  row('throughput of the service meanwhile', ({ throughput }) => percent(throughput))
  row('verdict to clone, gdb ready (goal: 100 ms + copying)', ({ warmMs }) => ms(warmMs))
  row('verdict to clone, gdb started for it', ({ coldMs }) => ms(coldMs))
  row('copied and allocated by the snapshot', ({ copiedBytes }) => mib(copiedBytes))
  row('  of the RSS', ({ copiedBytes, rssBytes }) => percent(copiedBytes / rssBytes))
  row('census', ({ censusMs }) => ms(censusMs))
  row('  objects a second', ({ objects, censusMs }) => `${(objects / censusMs / 1000).toFixed(1)} M`)
}

async function benchGraph(): Promise<void> {
  say(`\nThe whole graph of ${(3 * GRAPH_MILLIONS).toFixed(1)} million objects\n`)
  const costs = await measureGraph(PYTHON, GRAPH_MILLIONS, scratch)
  const row = (what: string, value: string): void => say(`${what.padEnd(52)}${value}`)
  row('RSS, objects, references', `${mib(costs.rssBytes)}, ${costs.objects}, ${costs.references}`)
  row('snapshot lived, census alone', ms(costs.censusMs))
  row('snapshot lived, census and graph', ms(costs.graphMs))
  row('  times as long', (costs.graphMs / costs.censusMs).toFixed(1))
  row(
    'copied and allocated by it',
    `${mib(costs.copiedBytes)}, ${percent(costs.copiedBytes / costs.rssBytes)}`,
  )
  row('longest gap in the service meanwhile', ms(costs.gapMs))
  row('graph.gz', `${mib(costs.fileBytes)}, ${percent(costs.fileBytes / costs.rssBytes)} of the RSS`)
  row('pyheapctl graph', `${ms(costs.analysisMs)}, ${mib(costs.analysisRssBytes)}`)
  row('  bytes of memory for each object', (costs.analysisRssBytes / costs.objects).toFixed(0))
}

async function benchWatching(): Promise<void> {
  say(
    `\nWatching ${PROCESSES} Python processes at 1 s among ${PROCESSES + OTHERS}, with ${STARTS} starts a second, for ${WATCH_SECONDS} s\n`,
  )
  const program = `import os, time
isFirst = True
for _ in range(${PROCESSES - 1}):
    if os.fork() == 0:
        isFirst = False
        break
if not isFirst: time.sleep(1e6)
for _ in range(${OTHERS}):
    if os.fork() == 0: os.execv("/bin/sleep", ["sleep", "1000000"])
print("ready", flush=True)
began, count = time.monotonic(), 0
while True:
    while count < (time.monotonic() - began) * ${STARTS}:
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
        count += 1
    time.sleep(0.01)`
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
  // As the unit starts it.
  const daemon = new RunningService(process.execPath, [watchd, '--config', config], {
    env: { ...process.env, ...unitEnvironment() },
  })
  await daemon.said('process found')
  await daemon.said('the probe is attached', 30_000).catch(() => undefined)
  // Until everybody is known, and who is calm rests.
  await sleep(WARM_SECONDS * 1000)
  const before = cpuSeconds(daemon.pid)
  await sleep(WATCH_SECONDS * 1000)
  const share = (cpuSeconds(daemon.pid) - before) / WATCH_SECONDS
  const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'latin1'))?.[1]
  const found = daemon.output.split('process found').length - 1
  await daemon.stop()
  const ps = await cpuOfPs()
  const procdump = await cpuOfProcDump(crowd.pid)
  process.kill(-crowd.pid, 'SIGKILL')
  await crowd.stop()
  say(`processes found                        ${found}`)
  say(`CPU of the daemon (goal: 1 %)          ${percent(share)} of a core`)
  say(`  of it for each process watched       ${((share * 1e6) / PROCESSES).toFixed(1)} us a second`)
  say(
    `CPU of polling with ps once a second   ${percent(ps)} of a core: ${(ps / share).toFixed(1)} times as much`,
  )
  if (procdump !== undefined)
    say(
      `CPU of ProcDump, one for each of them   ${percent(procdump * PROCESSES)} of a core: ${((procdump * PROCESSES) / share).toFixed(0)} times as much`,
    )
  say(`RSS of the daemon (goal: 95 MiB)       ${(Number(rss) / 1024).toFixed(0)} MiB`)
  const [few, many] = [measureDecide(3), measureDecide(33)]
  say(
    `a look at a process that changes, with 3 rules: ${few.toFixed(1)} us; each rule more: ${((many - few) / 30).toFixed(2)} us`,
  )
}

/** What the unit sets. */
function unitEnvironment(): Record<string, string> {
  const unit = readFileSync(new URL('../../systemd/pyheap-watchd.service', import.meta.url), 'utf8')
  return Object.fromEntries(
    [...unit.matchAll(/^Environment="?(\w+)=([^"\n]*)/gm)].map(([, name = '', value = '']) => [name, value]),
  )
}

/** Share of a core that one ProcDump takes that polls one process once a second; undefined where it is not installed. */
async function cpuOfProcDump(pid: number): Promise<number | undefined> {
  const { exitCode } = await execa('sh', ['-c', 'command -v procdump'], { reject: false })
  if (exitCode !== 0) return undefined
  const procdump = new RunningService('procdump', ['-M', '1000000', '-n', '1', '-p', String(pid)], {
    cwd: scratch,
  })
  await sleep(2000)
  const before = threadSeconds(procdump.pid)
  await sleep(WATCH_SECONDS * 1000)
  const share = (threadSeconds(procdump.pid) - before) / WATCH_SECONDS
  await procdump.stop()
  return share
}

/** What all threads of a process have run for: finer than the ticks of its stat. */
function threadSeconds(pid: number): number {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks)
    .map((tid) => Number(readFileSync(`${tasks}/${tid}/schedstat`, 'latin1').split(' ')[0]) / 1e9)
    .reduce((sum, seconds) => sum + seconds, 0)
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

async function benchProbe(): Promise<void> {
  say(`\nThe probe; an interval of 10 s\n`)
  const row = (what: string, value: string): void => say(`${what.padEnd(66)}${value}`)
  for (const [rate, thresholdMib] of [
    [200, 400],
    [1, 40],
  ] as const)
    for (const probe of ['on', 'off'] as const) {
      const late: number[] = []
      for (let n = 0; n < (probe === 'on' ? 5 : 1); n++)
        late.push(await measureLatency(rate, thresholdMib, probe))
      const goal = probe === 'on' ? ' (goal: 300 ms)' : ''
      const sorted = late.toSorted((a, b) => a - b)
      row(
        `threshold to verdict at ${rate} MB/s, probe ${probe}: median, worst${goal}`,
        `${ms(sorted[Math.floor(sorted.length / 2)] ?? NaN)}, ${ms(sorted.at(-1) ?? NaN)}`,
      )
    }
  for (const [work, what, goal] of [
    ['dicts', 'a Python loop that makes dicts', 1.03],
    ['fill', 'filling fresh pages', 1.15],
    ['fork', 'a loop that forks', 1.15],
  ] as const) {
    row(`on / off, rss.bt, ${what} (goal: ${goal})`, (await measureOverhead(work, IDLE_RSS, 8)).toFixed(3))
    row(`on / off, address-space.bt, ${what}`, (await measureOverhead(work, ADDRESS_SPACE, 3)).toFixed(3))
  }
  const { rssBytes, idle, busy } = await measureFootprint()
  row(
    'bpftrace: RSS; CPU while nothing grows, while 200 MB/s do',
    `${mib(rssBytes)}; ${percent(idle)}, ${percent(busy)}`,
  )
  const { perSecond, lost } = await measureStorm()
  row('events a second that bpftrace was given, and lost in all', `${perSecond.toFixed(0)}, ${lost}`)
}

const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`
const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`

try {
  const parts = { captures: benchCaptures, graph: benchGraph, watching: benchWatching, probe: benchProbe }
  const wanted = process.env['BENCH_PARTS']?.split(',')
  for (const [name, part] of Object.entries(parts)) if (wanted?.includes(name) ?? true) await part()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
