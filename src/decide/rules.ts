import { type Condition, type LevelCondition, type LimitUse, type Sample, type WaitReason } from '../model.ts'
import { eventsWithin } from './events.ts'
import { growthOf } from './growths.ts'
import type { ProcessMemory } from './memory.ts'
import { riseOf } from './points.ts'

/** What a condition reads of a process. */
export type Reading =
  | {
      readonly kind: 'value'
      /** What was measured: of several the one that decides. */
      readonly of: LevelCondition['kind']
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
  | {
      readonly kind: 'none'
      readonly reason: Extract<WaitReason, 'not-enough-samples' | 'no-limit' | 'not-told'>
    }

/** What is known of a process and of captures of its target, and by which rule it is asked. */
export type Known = {
  readonly process: ProcessMemory
  /** How large it was when this rule captured it last. */
  readonly peakBytes?: number | undefined
  /** What a capture of it takes, as far as that was measured. */
  readonly captureMs: number
}

/** Reads a condition that is measured. */
export const readCondition = (
  when: Exclude<Condition, { readonly kind: 'schedule' }>,
  known: Known,
  nowMs: number,
): Reading => {
  if (!('conditions' in when)) return readLevel(when, known, nowMs)
  const readings = when.conditions.map((level) => readLevel(level, known, nowMs))
  return when.kind === 'all' ? readAll(readings) : readAny(readings)
}

type Value = Extract<Reading, { readonly kind: 'value' }>

const isValue = (reading: Reading): reading is Value => reading.kind === 'value'

/** The farthest from its threshold decides; one that cannot be read is not over. */
const readAll = (readings: readonly Reading[]): Reading => {
  const unread = readings.find((reading) => !isValue(reading))
  const [first, ...others] = readings.filter(isValue)
  if (unread !== undefined || first === undefined) return unread ?? tooFew
  const last = others.reduce((least, reading) => (reading.need < least.need ? reading : least), first)
  const all = [first, ...others]
  return { ...last, isOver: all.every(({ isOver }) => isOver), isClear: all.some(({ isClear }) => isClear) }
}

/** The farthest beyond its threshold decides. */
const readAny = (readings: readonly Reading[]): Reading => {
  const [first, ...others] = readings.filter(isValue)
  if (first === undefined) return readings[0] ?? tooFew
  const most = others.reduce((best, reading) => (reading.need > best.need ? reading : best), first)
  const all = [first, ...others]
  return { ...most, isOver: all.some(({ isOver }) => isOver), isClear: all.every(({ isClear }) => isClear) }
}

const readLevel = (when: LevelCondition, known: Known, nowMs: number): Reading => {
  const { latest } = known.process
  if (latest === undefined) return tooFew
  if (when.kind === 'rss') return above('rss', latest.rssBytes, when.aboveBytes, when.clearBelowBytes)
  if (when.kind === 'steps') return readSteps(when, latest, known.peakBytes)
  if (when.kind === 'ratchet') {
    const threshold = Math.max(when.aboveBytes, (known.peakBytes ?? 0) * (1 + when.riseShare))
    return movedOn(above('ratchet', latest.rssBytes, threshold, threshold))
  }
  if (when.kind === 'growth') return readGrowth(when, known.process, latest, nowMs)
  if (when.kind === 'time-to-limit') return readTimeToLimit(when, known, latest, nowMs)
  if (when.kind === 'limit' || when.kind === 'cgroup-share') return readShare(when, latest)
  if (when.kind === 'memory-events') return readEvents(when, known.process, latest, nowMs)
  return readExtra(when, latest)
}

type Of<Kind extends LevelCondition['kind']> = Extract<LevelCondition, { readonly kind: Kind }>

const tooFew: Reading = { kind: 'none', reason: 'not-enough-samples' }
const noLimit: Reading = { kind: 'none', reason: 'no-limit' }
const notTold: Reading = { kind: 'none', reason: 'not-told' }

/** The lowest step that is not taken yet; when all are, the rule is done with the process. */
const readSteps = ({ bytes }: Of<'steps'>, { rssBytes }: Sample, peakBytes = 0): Reading => {
  const next = bytes.find((step) => step > peakBytes) ?? Number.POSITIVE_INFINITY
  return movedOn(above('steps', rssBytes, next, next))
}

/** After a capture its threshold is another one, so there is nothing to come back from. */
const movedOn = (reading: Value): Value => ({ ...reading, isClear: true })

const readShare = (when: Of<'limit' | 'cgroup-share'>, { limit, rssBytes }: Sample): Reading => {
  if (limit === undefined || limit.limitBytes <= 0) return noLimit
  if (when.kind === 'limit')
    return {
      ...above('limit', limit.usedBytes / limit.limitBytes, when.aboveShare, when.clearBelowShare),
      limit,
    }
  if (limit.source !== 'cgroup') return noLimit
  // Pages that others share are in its RSS too, so it may seem to have more than all.
  const share = Math.min(1, rssBytes / Math.max(1, limit.usedBytes))
  return { ...above('cgroup-share', share, when.aboveShare, when.clearBelowShare), limit }
}

const readGrowth = (
  when: Of<'growth'>,
  known: ProcessMemory,
  { rssBytes }: Sample,
  nowMs: number,
): Reading => {
  const growth = growthOf(known, when.windowMs, nowMs)
  if (growth === undefined) return tooFew
  const reading = above('growth', growth, when.aboveBytesPerMs, when.clearBelowBytesPerMs)
  if (!reading.isOver) return reading
  const { floorBytes = 0, minChangeBytes } = when
  return {
    ...reading,
    isOver:
      rssBytes >= floorBytes &&
      (minChangeBytes === undefined || hasRisen(minChangeBytes, known, when, nowMs)),
  }
}

/** Older points are far apart, so the lowest of a saw's teeth are met by chance: a rise has to stand out from them. */
const RISE_OF_RANGE = 0.1

const hasRisen = (
  leastBytes: number,
  { points }: ProcessMemory,
  { windowMs }: Of<'growth'>,
  nowMs: number,
): boolean => {
  const { riseBytes, rangeBytes } = riseOf(points, windowMs, nowMs)
  return riseBytes >= Math.max(leastBytes, rangeBytes * RISE_OF_RANGE)
}

const readTimeToLimit = (
  when: Of<'time-to-limit'>,
  { process, captureMs }: Known,
  { limit }: Sample,
  nowMs: number,
): Reading => {
  const growth = growthOf(process, when.windowMs, nowMs)
  if (growth === undefined) return tooFew
  if (limit === undefined || limit.limitBytes <= 0) return noLimit
  const roomBytes = Math.max(0, limit.limitBytes - limit.usedBytes)
  const leftMs = growth > 0 ? roomBytes / growth : Number.POSITIVE_INFINITY
  const threshold = Math.max(when.belowMs, (when.captures ?? 0) * captureMs)
  return {
    kind: 'value',
    of: 'time-to-limit',
    value: leftMs,
    threshold,
    isOver: leftMs < threshold,
    isClear: leftMs >= Math.max(when.clearAboveMs, threshold * CLEAR_ABOVE),
    need: threshold / leftMs,
    limit,
  }
}

const CLEAR_ABOVE = 1.1

const readEvents = (
  when: Of<'memory-events'>,
  { eventLog = [] }: ProcessMemory,
  { extras }: Sample,
  nowMs: number,
): Reading => {
  if (extras?.events?.[when.event] === undefined) return notTold
  const count = eventsWithin(eventLog, when.event, nowMs - when.windowMs)
  return { ...above('memory-events', count, when.aboveCount, 0), need: count / (when.aboveCount + 1) }
}

const readExtra = (
  when: Of<'pressure' | 'swap' | 'pss' | 'uss' | 'age'>,
  { extras = {} }: Sample,
): Reading => {
  if (when.kind === 'age')
    return extras.ageMs === undefined ? notTold : above('age', extras.ageMs, when.aboveMs, when.aboveMs)
  if (when.kind === 'pressure') {
    const share = extras.pressure?.[when.of]?.[when.stall][when.over]
    return share === undefined ? notTold : above('pressure', share, when.aboveShare, when.clearBelowShare)
  }
  const bytes = extras[`${when.kind}Bytes`]
  return bytes === undefined ? notTold : above(when.kind, bytes, when.aboveBytes, when.clearBelowBytes)
}

const above = (of: LevelCondition['kind'], value: number, threshold: number, clearBelow: number): Value => ({
  kind: 'value',
  of,
  value,
  threshold,
  isOver: value > threshold,
  isClear: value <= clearBelow,
  need: value / threshold,
})
