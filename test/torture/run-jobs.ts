import { work } from './crew.ts'
import type { Job } from './session.ts'
import { type Tally, emptyTally, note } from './tally.ts'

export type Result = { readonly job: Job; readonly tally: Tally }

/** Tortures, several targets at a time, and tells each result as it comes. */
export function runJobs(
  jobs: readonly Job[],
  { parallel, signal }: { readonly parallel: number; readonly signal: AbortSignal },
  onResult: (result: Result) => void,
): Promise<void> {
  const timeoutMs = (job: Job): number => (60 + job.captures * 30) * 1000
  return work<Job, Tally>(jobs, {
    program: 'worker.ts',
    parallel,
    signal,
    timeoutMs,
    onResult: (job, answer) => onResult({ job, tally: answer === 'lost' ? lost(job) : answer }),
  })
}

function lost(job: Job): Tally {
  const tally = emptyTally()
  note(tally, 'the worker that captured was lost, or was not done in time')
  return { ...tally, captures: job.captures, hung: 1 }
}
