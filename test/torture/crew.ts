import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Job } from './session.ts'
import { type Tally, emptyTally, note } from './tally.ts'

/** A pid namespace whose init reaps what is orphaned in it; killing the outer process ends everything inside. */
export const ISOLATED = ['unshare', '--pid', '--mount', '--fork', '--mount-proc', '--kill-child'] as const
const SHELL = ['sh', '-c', '"$@"; exit $?', 'sh'] as const

/** Starts a program of this folder in a pid namespace of its own. */
export function startIsolated(file: string, args: readonly string[] = []): ChildProcess {
  const program = new URL(file, import.meta.url).pathname
  const [command, ...rest] = [...ISOLATED, ...SHELL, process.execPath, '--import', 'tsx', program, ...args]
  return spawn(command, rest, {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // a Ctrl-C is ours to answer
    cwd: new URL('../..', import.meta.url).pathname,
  })
}

export type Result = { readonly job: Job; readonly tally: Tally }

/** Does all jobs on so many workers, each result as it comes. Stops early when the signal says so. */
export async function work(
  jobs: readonly Job[],
  parallel: number,
  signal: AbortSignal,
  onResult: (result: Result) => void,
): Promise<void> {
  const waiting = [...jobs]
  const one = async (): Promise<void> => {
    let worker = startWorker()
    for (let job = waiting.shift(); job && !signal.aborted; job = waiting.shift()) {
      const tally = await Promise.race([worker.run(job), aborted(signal)])
      if (tally === 'aborted') break
      if (tally === 'lost') worker = startWorker()
      onResult({ job, tally: tally === 'lost' ? lost(job) : tally })
    }
    worker.end()
  }
  await Promise.all(Array.from({ length: parallel }, one))
}

type Worker = { readonly run: (job: Job) => Promise<Tally | 'lost'>; readonly end: () => void }

function startWorker(): Worker {
  const child = startIsolated('worker.ts')
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const end = (): void => void child.kill('SIGKILL')
  const run = (job: Job): Promise<Tally | 'lost'> =>
    new Promise((resolve) => {
      const late = setTimeout(end, (60 + job.captures * 30) * 1000)
      const finish = (answer: Tally | 'lost'): void => {
        clearTimeout(late)
        lines.removeAllListeners('line')
        child.removeAllListeners('close')
        resolve(answer)
      }
      lines.once('line', (line) => finish(JSON.parse(line) as Tally))
      child.once('close', () => finish('lost'))
      child.stdin?.write(`${JSON.stringify(job)}\n`)
    })
  return { run, end }
}

function lost(job: Job): Tally {
  const tally = emptyTally()
  note(tally, 'the worker that captured was lost, or was not done in time')
  return { ...tally, captures: job.captures, hung: 1 }
}

const aborted = (signal: AbortSignal): Promise<'aborted'> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted')))
