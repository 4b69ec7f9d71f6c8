import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pyheapctl } from '../setup/run-tool.ts'
import { RunningService } from '../setup/service.ts'
import { type Leak, judgeVerdict } from './truth.ts'

export type Settings = { readonly python: string; readonly limitMb: number; readonly rateMb: number }

/** What was said of a leak, and what is wrong with it. */
export type Result = {
  readonly leak: Leak
  readonly verdict: string
  readonly wrong: readonly string[]
  /** What a sum of sys.getsizeof by type over gc.get_objects() says of the same process: its largest three. */
  readonly bySize: string
}

const START_DELAY_S = 8
const GROWS_WITHIN_MS = 120_000
const MIB = 2 ** 20

/** Runs a leak, dumps it before and after its growth, and judges what is said of the second dump. */
export async function runLeak(leak: Leak, settings: Settings): Promise<Result> {
  const store = mkdtempSync(join(tmpdir(), 'pyheap-leak-'))
  const { python, rateMb, limitMb } = settings
  const pace = ['--rate-mb-s', rateMb, '--limit-mb', limitMb, '--start-delay', START_DELAY_S].map(String)
  const service = new RunningService(python, [leak.program, ...pace])
  try {
    await service.said('ready', 60_000)
    const baseRss = rssOf(service.pid)
    const first = await dump(service.pid, store)
    await hasGrown(leak, service.pid, baseRss, (limitMb * MIB) / 2)
    const second = await dump(service.pid, store)
    const bySize = await sumSizes(service.pid)
    const verdict = (await pyheapctl('show', '--verdict', '--store', store, second)).out
    const problem = [first, second].find((path) => !existsSync(path))
    const wrong = problem === undefined ? judgeVerdict(leak.truth, oneLine(verdict)) : [problem]
    return { leak, verdict, wrong, bySize }
  } catch (error) {
    return { leak, verdict: service.output.slice(-500), wrong: [String(error)], bySize: '' }
  } finally {
    await service.stop()
    rmSync(store, { recursive: true })
  }
}

const SUM_SIZES = `
import gc, sys
sums = {}
for o in gc.get_objects():
    sums[type(o)] = sums.get(type(o), 0) + sys.getsizeof(o)
top = sorted(sums.items(), key=lambda row: -row[1])[:3]
print(", ".join("%s %d MB" % (kind.__name__, size >> 20) for kind, size in top))
`

const sumSizes = async (pid: number): Promise<string> =>
  (await pyheapctl('exec', String(pid), '-c', SUM_SIZES)).out.trim()

/** Lines are folded for a terminal, which no pattern counts on. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')

async function dump(pid: number, store: string): Promise<string> {
  const { out, err } = await pyheapctl('capture', String(pid), '--json', '--store', store)
  return out === '' ? err : (JSON.parse(out) as { dump: string }).dump
}

/** Until its memory has stood still for 4 s after the growth; after a spike, until it is over. */
async function hasGrown({ truth }: Leak, pid: number, baseRss: number, leastBytes: number): Promise<void> {
  const end = performance.now() + GROWS_WITHIN_MS
  let peak = 0
  let rss: number[] = []
  while (performance.now() < end) {
    const now = rssOf(pid)
    peak = Math.max(peak, now)
    rss = [...rss.slice(-8), now]
    const isFlat = rss.length === 9 && Math.max(...rss) - Math.min(...rss) < 2 * MIB
    if (truth.profile === 'spike' && peak > baseRss + leastBytes && now < (peak + baseRss) / 2 && isFlat)
      return
    if (truth.profile === 'constant' && isFlat) return sleep(START_DELAY_S * 1000)
    if (truth.profile !== 'spike' && isFlat && now > baseRss + leastBytes) return
    await sleep(500)
  }
  throw new Error(`it has not grown: ${baseRss} to ${peak}`)
}

const rssOf = (pid: number): number =>
  Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024
