// npm run torture -- kill-matrix: kills gdb, the daemon, the snapshot and the service in every phase of a capture.
import { parseArgs } from 'node:util'
import {
  KILL_STATES,
  type KillJob,
  type KillTally,
  PHASES_OF,
  type VictimName,
  isHarmful,
} from './kill-cases.ts'
import { killAll } from './kill-all.ts'
import { seeded } from './random.ts'
import { align } from './table.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    victim: { type: 'string', multiple: true, default: [] },
    phase: { type: 'string', multiple: true, default: [] },
    state: { type: 'string', multiple: true, default: [...KILL_STATES] },
    python: { type: 'string', default: '/usr/bin/python3' },
    parallel: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const COLUMNS = [
  'rounds',
  'struck',
  'died',
  'stoodStill',
  'leftStopped',
  'misbehaved',
  'notCapturedAgain',
  'strays',
] as const

const say = (text: string): void => void process.stdout.write(`${text}\n`)

function plan(): KillJob[] {
  const random = seeded(Number(values.seed))
  const isWanted = (name: string, wanted: readonly string[]): boolean =>
    wanted.length === 0 || wanted.includes(name)
  const cases = (Object.keys(PHASES_OF) as VictimName[])
    .filter((victim) => isWanted(victim, values.victim))
    .flatMap((victim) => PHASES_OF[victim].map((phase) => ({ victim, phase })))
    .filter(({ phase }) => isWanted(phase, values.phase))
  return cases.flatMap(({ victim, phase }) =>
    values.state.map((state) => ({
      victim,
      phase,
      state,
      python: values.python,
      rounds: Number(values.rounds),
      seed: Math.floor(random() * 2 ** 32),
    })),
  )
}

const jobs = plan()
const results = new Map<KillJob, KillTally>()
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
say(`${jobs.length} cases of ${values.rounds} rounds, --seed ${values.seed}`)
await killAll(jobs, { parallel: Number(values.parallel), signal: stop.signal }, (job, tally) => {
  results.set(job, tally)
  process.stderr.write(`\r${results.size}/${jobs.length} cases `)
})
process.stderr.write('\n')
const rows = jobs.flatMap((job) => {
  const tally = results.get(job)
  return tally ? [[job.victim, job.phase, job.state, ...COLUMNS.map((name) => String(tally[name]))]] : []
})
say(align([['victim', 'phase', 'state', ...COLUMNS], ...rows]))
for (const [job, { details }] of results)
  if (details.length > 0)
    say(`${job.victim} ${job.phase} ${job.state}\n${details.map((detail) => `    ${detail}`).join('\n')}`)
const isWhole = results.size === jobs.length
if (!isWhole) say('stopped early')
process.exitCode = isWhole && ![...results.values()].some(isHarmful) ? 0 : 1
