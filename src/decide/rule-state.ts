import type { Rule } from '../model.ts'
import type { Memory, ProcessMemory, RuleState } from './memory.ts'
import type { Reading } from './rules.ts'

/** Moves a measured rule on by one sample; undefined is armed. */
export const nextState = (
  state: RuleState | undefined,
  reading: Reading,
  isContinuous: boolean,
  nowMs: number,
): RuleState | undefined => {
  // Not measured is not clear: what was captured stays latched.
  if (reading.kind === 'none') return state?.kind === 'latched' ? state : undefined
  if (state?.kind === 'latched' && !reading.isClear) return state
  if (!reading.isOver) return undefined
  return state?.kind === 'pending' && isContinuous ? state : { kind: 'pending', sinceMs: nowMs }
}

/** Whether a rule has been over its threshold for long enough; with a duration one sample proves nothing. */
export const isFiring = (
  state: RuleState | undefined,
  { forMs }: Rule,
  { points }: ProcessMemory,
  nowMs: number,
): boolean => {
  if (state?.kind === 'due') return true
  if (state?.kind !== 'pending') return false
  if (forMs === 0) return true
  const hasTwo = (points.at(-2)?.atMs ?? Number.NEGATIVE_INFINITY) >= state.sinceMs
  return hasTwo && nowMs - state.sinceMs >= forMs
}

/** Whether nothing was missed between the last two samples of a process. */
export const isContinuous = (
  { lastCaptureEndMs }: Memory,
  { points }: ProcessMemory,
  gapMs: number,
): boolean => {
  const [before, last] = [points.at(-2), points.at(-1)]
  if (before === undefined || last === undefined) return false
  return last.atMs - Math.max(before.atMs, Math.min(lastCaptureEndMs, last.atMs)) <= gapMs
}
