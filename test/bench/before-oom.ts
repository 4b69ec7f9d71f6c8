// npm run before-oom: services that leak at 1 to 500 MB/s into real memory limits, 20 of each, watched with the shipped
// rules: of how many there is a complete dump, and how long before the OOM kill. BEFORE_OOM_RUNS sets another number.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DumpManifest } from '../../src/model.ts'
import { createMemoryCgroup } from '../setup/memory-cgroup.ts'
import { RunningService, startTarget } from '../setup/service.ts'

const RUNS = Number(process.env['BEFORE_OOM_RUNS'] ?? 20)
const MIB = 2 ** 20

/** Slow ones run beside each other, as they take long. */
const RATES = [
  { rate: 1, limitMib: 70, together: 10 },
  { rate: 10, limitMib: 300, together: 5 },
  { rate: 50, limitMib: 600, together: 2 },
  { rate: 200, limitMib: 800, together: 1 },
  { rate: 500, limitMib: 1200, together: 1 },
] as const

type Run = {
  /** Whether a complete dump of it exists. */
  readonly isComplete: boolean
  /** From the verdict for the last complete dump to the kill, and from its publication. */
  readonly verdictLeadMs: number
  readonly publishedLeadMs: number
}

const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-before-oom-'))
const store = join(scratch, 'store')

/** One service from its start to its end, and what is left of it. */
async function leakOnce(number: number, rate: number, limitMib: number): Promise<Run> {
  const cgroup = createMemoryCgroup(`pyheap-before-oom-${number}`, limitMib * MIB)
  if (!cgroup) throw new Error('needs a memory cgroup that may be written')
  // Watched for a while before it leaks, as services are.
  const service = await startTarget('/usr/bin/python3', 'leak', String(rate), '7')
  cgroup.add(service.pid)
  if (service.isAlive) await once(service.process, 'exit')
  const killedMs = Date.now()
  const dumps = await settledDumps(service.pid)
  await cgroup.remove()
  const complete = dumps.filter(
    ({ outcome, complete: isComplete }) => outcome === 'captured' && isComplete !== false,
  )
  const last = complete.toSorted((a, b) => a.started_at.localeCompare(b.started_at)).at(-1)
  return {
    isComplete: last !== undefined,
    verdictLeadMs: last === undefined ? 0 : killedMs - Date.parse(last.started_at),
    publishedLeadMs: last === undefined ? 0 : killedMs - Date.parse(last.finished_at),
  }
}

/** Dumps of a process, once none is being written any more. */
async function settledDumps(pid: number): Promise<readonly DumpManifest[]> {
  const folder = join(store, 'leak')
  for (let tries = 0; tries < 150; tries++) {
    await sleep(200)
    const own = existsSync(folder) ? readdirSync(folder).filter((name) => name.includes(`Z-${pid}-`)) : []
    const isSettled = own.length > 0 && own.every((name) => !name.endsWith('.partial'))
    if ((isSettled && tries > 5) || tries === 25)
      return own
        .filter((name) => !name.endsWith('.partial'))
        .map((name) => JSON.parse(readFileSync(join(folder, name, 'dump.json'), 'utf8')) as DumpManifest)
  }
  return []
}

const tell = (line: string): void => void process.stdout.write(`${line}\n`)
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

writeFileSync(
  join(scratch, 'config.yaml'),
  `store: { dir: ${store}, reserve: 16MiB, keep: { per_target: 10000 } }
targets: [{ name: leak, match: { cmdline: 'targets/leak\\.py' } }]
limits: { per_target: { max: 10000 }, per_host: { max: 10000 } }
baseline: off
daemon: { socket: ${join(scratch, 'run', 'control.sock')} }
`,
)
const daemon = new RunningService(process.execPath, [watchd, '--config', join(scratch, 'config.yaml')])
try {
  await daemon.said('the probe is attached', 30_000).catch(() => undefined)
  tell(
    '| leaks at  | into    | complete dump | verdict before the kill, least / median | published before it |',
  )
  tell(
    '| --------- | ------- | ------------- | --------------------------------------- | ------------------- |',
  )
  let number = 0
  for (const { rate, limitMib, together } of RATES) {
    const runs: Run[] = []
    while (runs.length < RUNS) {
      const count = Math.min(together, RUNS - runs.length)
      runs.push(
        ...(await Promise.all(Array.from({ length: count }, () => leakOnce(number++, rate, limitMib)))),
      )
    }
    const complete = runs.filter(({ isComplete }) => isComplete)
    const leads = complete.map(({ verdictLeadMs }) => verdictLeadMs)
    const published = complete.filter(({ publishedLeadMs }) => publishedLeadMs > 0).length
    tell(
      `| ${rate} MB/s | ${limitMib} MiB | ${complete.length} of ${runs.length} | ${seconds(Math.min(...leads))} / ${seconds(median(leads))} | ${published} of ${runs.length} |`,
    )
  }
} finally {
  await daemon.stop()
  rmSync(scratch, { recursive: true })
}
