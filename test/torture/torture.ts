// npm run torture: captures services in every state, with every interpreter, thousands of times; tells what was hurt.
import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findPythons } from '../setup/interpreters.ts'
import { missing, plan } from './plan.ts'
import { type Result, runJobs } from './run-jobs.ts'
import { renderDetails, renderSummary, renderTable } from './table.ts'
import { completeShare, hasHurt, sum } from './tally.ts'

const LEAST_COMPLETE = 0.995
const USAGE = `npm run torture -- [--captures N] [--python PATH]… [--state NAME]… [--parallel N] [--baseline] [--seed N] [--json FILE]
npm run torture -- kill-matrix [--rounds N] [--victim NAME]… [--phase NAME]… [--state NAME]… [--python PATH] [--seed N]`

const { values } = parseArgs({
  options: {
    captures: { type: 'string', default: '10000' },
    python: { type: 'string', multiple: true, default: [] },
    state: { type: 'string', multiple: true, default: [] },
    parallel: { type: 'string', default: '2' },
    baseline: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const installed = findPythons()
const isWanted = (path: string): boolean => values.python.some((wanted) => isSame(wanted, path))
const pythons = values.python.length === 0 ? installed : installed.filter(({ path }) => isWanted(path))
const unknown = values.python.filter((wanted) => !installed.some(({ path }) => isSame(wanted, path)))

if (values.help) say(USAGE)
else if (process.getuid?.() !== 0) fail('needs root, to trace processes and to make namespaces')
else if (unknown.length > 0)
  fail(
    `no CPython 3.8 or later at ${unknown.join(', ')}; found ${installed.map(({ path }) => path).join(', ')}`,
  )
else await main()

function isSame(a: string, b: string): boolean {
  return existsSync(a) && realpathSync(a) === realpathSync(b)
}

async function main(): Promise<void> {
  const seed = Number(values.seed)
  const method = values.baseline ? 'plain-injection' : 'snapshot'
  const jobs = plan({ captures: Number(values.captures), pythons, states: values.state, method, seed })
  if (jobs.length === 0) return fail(`no such state: ${values.state.join(', ')}`)
  const total = jobs.reduce((captures, job) => captures + job.captures, 0)
  say(`${total} captures by ${method}, ${jobs.length} targets, --seed ${seed}`)
  for (const what of missing(pythons)) say(`SKIPPED ${what}`)
  const results: Result[] = []
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const began = performance.now()
  await runJobs(jobs, { parallel: Number(values.parallel), signal: stop.signal }, (result) => {
    results.push(result)
    tellProgress(results, total, performance.now() - began)
  })
  process.stderr.write('\n')
  report(results, { seed, method, isWhole: results.length === jobs.length })
}

function tellProgress(results: readonly Result[], total: number, ms: number): void {
  const { captures, crashed, hung, misbehaved, complete } = sum(results.map(({ tally }) => tally))
  const left = ((total - captures) * ms) / Math.max(1, captures) / 60_000
  process.stderr.write(
    `\r${captures}/${total} captures, ${complete} complete, ${crashed} crashed, ${hung} hung, ${misbehaved} misbehaved, ${left.toFixed(0)} min left  `,
  )
}

function report(results: readonly Result[], about: { seed: number; method: string; isWhole: boolean }): void {
  const file = values.json ?? join(tmpdir(), `pyheap-torture-${about.method}-${about.seed}.json`)
  const used = pythons.filter(({ path }) => results.some(({ job }) => job.python === path))
  say(renderTable(results, used))
  say(renderDetails(results))
  say(renderSummary(results))
  writeFileSync(file, JSON.stringify({ ...about, results }, undefined, 1))
  say(`${about.isWhole ? '' : 'stopped early; '}everything is in ${file}`)
  const all = sum(results.map(({ tally }) => tally))
  const isGood = !hasHurt(all) && completeShare(all) >= LEAST_COMPLETE && about.isWhole
  process.exitCode = isGood ? 0 : 1
}

function fail(why: string): void {
  process.stderr.write(`${why}\n${USAGE}\n`)
  process.exitCode = 2
}
