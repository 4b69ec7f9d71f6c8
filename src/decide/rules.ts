import type { Condition, LimitUse, WaitReason } from '../model.ts'
import type { ProcessMemory } from './memory.ts'
import { growthOf } from './growths.ts'

/** A condition that is measured; a schedule is not. */
export type LevelCondition = Exclude<Condition, { readonly kind: 'schedule' }>

/** What a condition reads of a process. */
export type Reading =
  | {
      readonly kind: 'value'
      /** In the condition's own unit. */
      readonly value: number
      readonly threshold: number
      readonly isOver: boolean
      /** Back so far that a captured rule may fire again. */
      readonly isClear: boolean
      /** How far over, for comparison: 1 is at the threshold. */
      readonly need: number
      readonly limit?: LimitUse
    }
  | { readonly kind: 'none'; readonly reason: Extract<WaitReason, 'not-enough-samples' | 'no-limit'> }

/** Reads a condition of a process now. */
export const readCondition = (when: LevelCondition, process: ProcessMemory, nowMs: number): Reading => {
  switch (when.kind) {
    case 'rss':
      return readRss(when, process)
    case 'limit':
      return readLimit(when, process)
    case 'growth':
      return readGrowth(when, process, nowMs)
    case 'time-to-limit':
      return readTimeToLimit(when, process, nowMs)
    default:
      return when satisfies never
  }
}

type Of<Kind extends Condition['kind']> = Extract<Condition, { readonly kind: Kind }>

const tooFew: Reading = { kind: 'none', reason: 'not-enough-samples' }
const noLimit: Reading = { kind: 'none', reason: 'no-limit' }

const readRss = (when: Of<'rss'>, { latest }: ProcessMemory): Reading =>
  latest === undefined ? tooFew : above(latest.rssBytes, when.aboveBytes, when.clearBelowBytes)

const readLimit = (when: Of<'limit'>, { latest }: ProcessMemory): Reading => {
  if (latest === undefined) return tooFew
  const { limit } = latest
  if (limit === undefined || limit.limitBytes <= 0) return noLimit
  return { ...above(limit.usedBytes / limit.limitBytes, when.aboveShare, when.clearBelowShare), limit }
}

const readGrowth = (when: Of<'growth'>, known: ProcessMemory, nowMs: number): Reading => {
  const growth = growthOf(known, when.windowMs, nowMs)
  return growth === undefined ? tooFew : above(growth, when.aboveBytesPerMs, when.clearBelowBytesPerMs)
}

const readTimeToLimit = (when: Of<'time-to-limit'>, known: ProcessMemory, nowMs: number): Reading => {
  const growth = growthOf(known, when.windowMs, nowMs)
  const { latest } = known
  if (latest === undefined || growth === undefined) return tooFew
  const { limit } = latest
  if (limit === undefined || limit.limitBytes <= 0) return noLimit
  const roomBytes = Math.max(0, limit.limitBytes - limit.usedBytes)
  const leftMs = growth > 0 ? roomBytes / growth : Number.POSITIVE_INFINITY
  return {
    kind: 'value',
    value: leftMs,
    threshold: when.belowMs,
    isOver: leftMs < when.belowMs,
    isClear: leftMs >= when.clearAboveMs,
    need: when.belowMs / leftMs,
    limit,
  }
}

const above = (value: number, threshold: number, clearBelow: number): Reading & { kind: 'value' } => ({
  kind: 'value',
  value,
  threshold,
  isOver: value > threshold,
  isClear: value <= clearBelow,
  need: value / threshold,
})
