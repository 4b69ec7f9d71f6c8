import type { CaptureFailure, DecideConfig, QuarantineChange } from '../model.ts'
import type { CaptureResult, Memory, ProcessMemory } from './memory.ts'

/** Captures of a process that failed in a row, and when the last of them did. */
export type Failures = { readonly count: number; readonly lastMs: number }

/** Once is bad luck. */
const FAILURES = 2

const DEFAULT_MS = 3_600_000

// What was tried in earnest and went wrong. A capture that was refused beforehand has cost the process nothing.
const COUNTS: ReadonlySet<CaptureResult> = new Set<CaptureFailure>([
  'gdb-failed',
  'gdb-timed-out',
  'not-taken',
  'clone-refused',
  'snapshot-died',
  'snapshot-hung',
  'snapshot-oom-killed',
  'bad-payload-output',
])

/** The failures in a row after one more capture; undefined when there are none. */
export const countFailure = (
  before: Failures | undefined,
  outcome: CaptureResult,
  nowMs: number,
): Failures | undefined => {
  if (outcome === 'captured') return undefined
  return COUNTS.has(outcome) ? { count: (before?.count ?? 0) + 1, lastMs: nowMs } : before
}

/** How long a process must still be left alone; 0 when it need not. */
export const quarantineLeftMs = (
  { failures }: ProcessMemory,
  { quarantineMs = DEFAULT_MS }: DecideConfig,
  nowMs: number,
): number =>
  failures === undefined || failures.count < FAILURES
    ? 0
    : Math.max(0, failures.lastMs + quarantineMs - nowMs)

/** Marks the quarantines of those who were seen that have begun or ended since the last turn, and answers them. */
export const markQuarantines = (
  memory: Memory,
  config: DecideConfig,
  nowMs: number,
): { readonly memory: Memory; readonly changes: readonly QuarantineChange[] } => {
  let processes: Map<string, ProcessMemory> | undefined
  const changes: QuarantineChange[] = []
  for (const key of memory.seen) {
    const known = memory.processes.get(key)
    const leftMs = known === undefined ? 0 : quarantineLeftMs(known, config, nowMs)
    if (known?.process === undefined || leftMs > 0 === known.isQuarantined) continue
    const { id } = known.process
    processes ??= new Map(memory.processes)
    processes.set(key, { ...known, isQuarantined: leftMs > 0 })
    changes.push(
      leftMs > 0
        ? { kind: 'began', process: id, failures: known.failures?.count ?? 0, leftMs }
        : { kind: 'ended', process: id },
    )
  }
  return { memory: processes === undefined ? memory : { ...memory, processes }, changes }
}
