import { work } from './crew.ts'
import { type KillJob, type KillTally, emptyKillTally } from './kill-cases.ts'

const ROUND_WITHIN_MS = 120_000

/** Does all kill jobs, several at a time, and tells what came of each as it comes. */
export function killAll(
  jobs: readonly KillJob[],
  { parallel, signal }: { readonly parallel: number; readonly signal: AbortSignal },
  onResult: (job: KillJob, tally: KillTally) => void,
): Promise<void> {
  const timeoutMs = (job: KillJob): number => job.rounds * ROUND_WITHIN_MS
  return work<KillJob, KillTally>(jobs, {
    program: 'kill-worker.ts',
    parallel,
    signal,
    timeoutMs,
    onResult: (job, answer) => onResult(job, answer === 'lost' ? lost(job) : answer),
  })
}

const lost = ({ rounds }: KillJob): KillTally => ({
  ...emptyKillTally(),
  rounds,
  notCapturedAgain: rounds,
  details: ['the worker was lost, or was not done in time'],
})
