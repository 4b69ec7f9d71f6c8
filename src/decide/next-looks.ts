import type { Condition, LevelCondition, ProcessId, Sample } from '../model.ts'
import type { Standing } from './advance.ts'
import type { Point } from './points.ts'

/** A process that is worth a look before the interval is over. */
export type NextLook = { readonly pid: number; readonly inMs: number }

export type LookLimits = {
  /** No process is looked at sooner than this. */
  readonly fastestMs: number
  /** Everybody is looked at after this anyway. */
  readonly intervalMs: number
}

/** How far back the fastest growth is looked for. */
const RECENT_POINTS = 32

/**
 * When to look again at those that were seen this turn: after half the time in which each would reach its nearest
 * threshold at the fastest growth that it has shown lately, and when a rule that is over its threshold has been so for
 * long enough.
 */
export function nextLooks(
  standings: readonly Standing[],
  { fastestMs, intervalMs }: LookLimits,
  nowMs: number,
): readonly NextLook[] {
  const looks: NextLook[] = []
  for (const [{ pid }, own] of byProcess(standings)) {
    const pendingMs = own.map((standing) => pendingForMs(standing, nowMs))
    const toGo = Math.min(...own.map(bytesToGo))
    const growthMs =
      toGo === Infinity ? Infinity : toGo / 2 / fastestGrowth(own[0]?.known.points ?? [], fastestMs)
    const inMs = Math.max(fastestMs, Math.min(growthMs, ...pendingMs))
    if (inMs < intervalMs) looks.push({ pid, inMs })
  }
  return looks
}

function byProcess(standings: readonly Standing[]): ReadonlyMap<ProcessId, readonly Standing[]> {
  const groups = new Map<ProcessId, Standing[]>()
  for (const standing of standings) {
    const group = groups.get(standing.process.id)
    if (group === undefined) groups.set(standing.process.id, [standing])
    else group.push(standing)
  }
  return groups
}

/** How long until a rule that is over its threshold has been so for long enough. */
const pendingForMs = ({ rule, state, isFiring }: Standing, nowMs: number): number =>
  state?.kind === 'pending' && !isFiring ? state.sinceMs + rule.forMs - nowMs : Infinity

/** Bytes until the threshold of a rule that is armed and not over it. */
function bytesToGo({ rule, state, known }: Standing): number {
  const bytes =
    state === undefined ? bytesBelow(rule.when, known.latest, known.peaks?.get(rule.name)) : undefined
  return bytes === undefined || bytes <= 0 ? Infinity : bytes
}

/** Bytes until the nearest threshold of a condition, as far as there is one of size. */
export function bytesBelow(
  when: Condition,
  latest: Pick<Sample, 'rssBytes' | 'limit'> | undefined,
  peakBytes = 0,
): number | undefined {
  if (latest === undefined || when.kind === 'schedule') return undefined
  if (!('conditions' in when)) return bytesBelowLevel(when, latest, peakBytes)
  const all = when.conditions.flatMap((level) => {
    const bytes = bytesBelowLevel(level, latest, peakBytes)
    return bytes === undefined ? [] : [bytes]
  })
  return all.length === 0 ? undefined : Math.min(...all)
}

function bytesBelowLevel(
  when: LevelCondition,
  { rssBytes, limit }: Pick<Sample, 'rssBytes' | 'limit'>,
  peakBytes: number,
): number | undefined {
  if (when.kind === 'ratchet') return Math.max(when.aboveBytes, peakBytes * (1 + when.riseShare)) - rssBytes
  if (when.kind === 'steps') {
    const next = when.bytes.find((step) => step > peakBytes)
    return next === undefined ? undefined : next - rssBytes
  }
  if (when.kind === 'limit') return limit && when.aboveShare * limit.limitBytes - limit.usedBytes
  if (when.kind === 'time-to-limit') return limit && limit.limitBytes - limit.usedBytes
  // Swapped memory is no part of RSS, and the rest is not about bytes.
  return 'aboveBytes' in when && when.kind !== 'swap' ? when.aboveBytes - rssBytes : undefined
}

/** In bytes per ms; 0 for one that does not grow. Points closer than `leastMs` say little. Exported for its tests. */
export function fastestGrowth(points: readonly Point[], leastMs: number): number {
  let fastest = 0
  let from: Point | undefined
  for (const point of points.slice(-RECENT_POINTS)) {
    if (from !== undefined && point.atMs - from.atMs < leastMs) continue
    if (from !== undefined)
      fastest = Math.max(fastest, (point.rssBytes - from.rssBytes) / (point.atMs - from.atMs))
    from = point
  }
  return fastest
}
