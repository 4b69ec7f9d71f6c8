// npm run leaks: runs programs that leak as real ones did, and holds what is said of them against what is true.
import { parseArgs } from 'node:util'
import { execaSync } from 'execa'
import { runLeak, type Result } from './run-leak.ts'
import { readCorpus } from './truth.ts'

const { values } = parseArgs({
  options: {
    corpus: { type: 'string', default: new URL('corpus', import.meta.url).pathname },
    python: { type: 'string', multiple: true, default: ['/usr/bin/python3'] },
    program: { type: 'string', multiple: true, default: [] },
    'rate-mb-s': { type: 'string', default: '30' },
    'limit-mb': { type: 'string', default: '150' },
    jobs: { type: 'string', default: '3' },
    verbose: { type: 'boolean', default: false },
  },
})
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const settings = { rateMb: Number(values['rate-mb-s']), limitMb: Number(values['limit-mb']) }
const leaks = readCorpus(values.corpus).filter(
  ({ truth }) => values.program.length === 0 || values.program.some((name) => truth.id.startsWith(name)),
)

let wrong = 0
let run = 0
for (const python of values.python) {
  const version = execaSync(python, ['--version']).stdout
  say(`\n${version}${' '.repeat(36)}getsizeof by type would say`)
  const left = leaks.filter(({ truth: { id, pythons } }) => {
    const isMeant = pythons?.some((minor) => version.startsWith(`Python ${minor}.`)) ?? true
    if (!isMeant) say(`NOT RUN ${id}: it needs Python ${pythons?.join(' or ')}`)
    return isMeant
  })
  run += left.length
  // Captures take turns anyway; most of a leak's time goes by while it grows.
  const work = async (): Promise<void> => {
    for (let leak = left.shift(); leak !== undefined; leak = left.shift()) {
      const result = await runLeak(leak, { python, ...settings })
      if (result.wrong.length > 0) wrong += 1
      tell(result)
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
}
say(`\n${wrong === 0 ? 'all right' : `${wrong} wrong`} of ${run}`)
process.exitCode = wrong === 0 ? 0 : 1

function tell({ leak: { truth }, verdict, wrong: mistakes, bySize }: Result): void {
  const isRight = mistakes.length === 0
  say(
    `${isRight ? 'right' : 'WRONG'}  ${truth.id.padEnd(24)} ${truth.category.padEnd(15)} ${bySize.padEnd(40)} ${mistakes.join('; ')}`.trimEnd(),
  )
  if (!isRight || values.verbose) say(verdict.replaceAll(/^/gm, '       '))
}
