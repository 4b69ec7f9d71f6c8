import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A pid namespace whose init reaps what is orphaned in it; killing the outer process ends everything inside. */
const ISOLATED = ['unshare', '--pid', '--mount', '--fork', '--mount-proc', '--kill-child'] as const
const SHELL = ['sh', '-c', '"$@"; exit $?', 'sh'] as const

export type Crew<Job, Answer> = {
  /** A program of this folder that answers every line of JSON with another. */
  readonly program: string
  readonly parallel: number
  readonly timeoutMs: (job: Job) => number
  /** Ends the work early. */
  readonly signal: AbortSignal
  /** Each result as it comes; `lost` for a job that was not done in time. */
  readonly onResult: (job: Job, answer: Answer | 'lost') => void
}

/** Does all jobs, several at a time. */
export async function work<Job, Answer>(jobs: readonly Job[], crew: Crew<Job, Answer>): Promise<void> {
  const waiting = [...jobs]
  const stopped = aborted(crew.signal)
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-crew-'))
  const one = async (): Promise<void> => {
    let worker = startWorker<Job, Answer>(crew, scratch)
    for (let job = waiting.shift(); job !== undefined && !crew.signal.aborted; job = waiting.shift()) {
      const answer = await Promise.race([worker.run(job), stopped])
      if (answer === 'aborted') break
      if (answer === 'lost') worker = startWorker(crew, scratch)
      crew.onResult(job, answer)
    }
    worker.end()
  }
  await Promise.all(Array.from({ length: crew.parallel }, one))
  rmSync(scratch, { recursive: true, force: true, maxRetries: 10 })
}

type Worker<Job, Answer> = {
  readonly run: (job: Job) => Promise<Answer | 'lost'>
  readonly end: () => void
}

function startWorker<Job, Answer>(
  { program, timeoutMs }: Crew<Job, Answer>,
  scratch: string,
): Worker<Job, Answer> {
  const child = startIsolated(program, scratch)
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const end = (): void => void child.kill('SIGKILL')
  const run = (job: Job): Promise<Answer | 'lost'> =>
    new Promise((resolve) => {
      const late = setTimeout(end, timeoutMs(job))
      const finish = (answer: Answer | 'lost'): void => {
        clearTimeout(late)
        lines.removeAllListeners('line')
        child.removeAllListeners('close')
        resolve(answer)
      }
      lines.once('line', (line) => finish(JSON.parse(line) as Answer))
      child.once('close', () => finish('lost'))
      child.stdin?.write(`${JSON.stringify(job)}\n`)
    })
  return { run, end }
}

/** Starts a program of this folder in a pid namespace of its own, with its files in a folder that we remove. */
function startIsolated(program: string, scratch: string): ChildProcess {
  const file = new URL(program, import.meta.url).pathname
  const [command, ...rest] = [...ISOLATED, ...SHELL, process.execPath, '--import', 'tsx', file]
  const child = spawn(command, rest, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: scratch },
    detached: true, // a Ctrl-C is ours to answer
    cwd: new URL('../..', import.meta.url).pathname,
  })
  child.stdin.on('error', () => undefined) // it has ended; 'close' tells
  return child
}

const aborted = (signal: AbortSignal): Promise<'aborted'> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted'), { once: true }))
