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
  const soonest = new Map<number, number>()
  for (const standing of standings) {
    const inMs = Math.max(fastestMs, dueInMs(standing, fastestMs, nowMs))
    const { pid } = standing.process.id
    if (inMs < Math.min(intervalMs, soonest.get(pid) ?? Infinity)) soonest.set(pid, inMs)
  }
  return [...soonest].map(([pid, inMs]) => ({ pid, inMs }))
}

function dueInMs({ known, rule, state, isFiring }: Standing, fastestMs: number, nowMs: number): number {
  if (state?.kind === 'pending') return isFiring ? Infinity : state.sinceMs + rule.forMs - nowMs
  if (state !== undefined) return Infinity
  const toGo = bytesToGo(rule.when, known.latest)
  return toGo === undefined || toGo <= 0 ? Infinity : toGo / 2 / fastestGrowth(known.points, fastestMs)
}

/** Bytes until the threshold, as far as it is one of size. */
function bytesToGo(when: Standing['rule']['when'], latest: Standing['known']['latest']): number | undefined {
  if (latest === undefined) return undefined
  const { rssBytes, limit } = latest
  switch (when.kind) {
    case 'rss':
      return when.aboveBytes - rssBytes
    case 'limit':
      return limit && when.aboveShare * limit.limitBytes - limit.usedBytes
    case 'time-to-limit':
      return limit && limit.limitBytes - limit.usedBytes
    case 'growth':
    case 'schedule':
      return undefined
    default:
      return when satisfies never
  }
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
