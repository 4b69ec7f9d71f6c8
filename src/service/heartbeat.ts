import type { ToldEvent } from '../report/told-event.ts'

/** Until when the loop may be silent before it counts as stuck; monotonic milliseconds. */
export type Heartbeat = { readonly deadlineMs: number }

export type HeartbeatLimits = {
  /** Between two turns. */
  readonly intervalMs: number
  /** The longest that a capture can take, with all its tries. */
  readonly captureMs: number
}

/** What an event says about the loop: a turn ends soon, a capture when its own bounds end it. */
export function nextHeartbeat(
  heartbeat: Heartbeat,
  event: ToldEvent,
  { intervalMs, captureMs }: HeartbeatLimits,
  nowMs: number,
): Heartbeat {
  if (event.kind === 'decided')
    return event.verdict.kind === 'wait' ? heartbeat : { deadlineMs: nowMs + captureMs }
  const isTurn = event.kind === 'observed' || event.kind === 'finished' || event.kind === 'traced'
  return isTurn ? { deadlineMs: nowMs + TURN_MS + 2 * intervalMs } : heartbeat
}

/** A look at thousands of processes on a busy machine, or the sweep of a large store on a slow disk. */
const TURN_MS = 60_000

/** Tries of a capture, each with its own bounds, and what is around them: waiting for its turn, analysis, writing. */
export const captureBoundMs = ({
  timeoutMs,
  gdbTimeoutMs,
}: {
  timeoutMs: number
  gdbTimeoutMs: number
}): number => TRIES * (timeoutMs + 2 * gdbTimeoutMs) + AROUND_MS

const TRIES = 4
const AROUND_MS = 180_000
