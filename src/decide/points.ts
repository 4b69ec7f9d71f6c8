/** RSS at a time. */
export type Point = { readonly atMs: number; readonly rssBytes: number }

/**
 * Adds a point and thins the older ones, the older the more: dense enough for any window, bounded for any age. Of the
 * points that fall into one step only the first is kept, so that thinning twice is thinning once.
 */
export const addPoint = (points: readonly Point[], point: Point): readonly Point[] => {
  // Thinning is most of the work, and a few points too many do no harm.
  if (points.length % THIN_EVERY !== 0 && points.length < MAX_POINTS) return [...points, point]
  const kept: Point[] = []
  for (const old of points) {
    const last = kept.at(-1)
    const stepMs = stepMsAt(point.atMs - old.atMs)
    if (last === undefined || stepOf(last, stepMs) !== stepOf(old, stepMs)) kept.push(old)
  }
  kept.push(point)
  return kept.length > MAX_POINTS ? kept.slice(-MAX_POINTS) : kept
}

/** The points not older than the window. */
export const within = (points: readonly Point[], windowMs: number, nowMs: number): readonly Point[] =>
  points.filter(({ atMs }) => atMs >= nowMs - windowMs)

/**
 * The growth over a window, or undefined as long as less than half of it is seen or fewer than 5 points are. The median of
 * the slopes between all pairs (Theil–Sen), because garbage collection makes RSS jump and a jump must not look like growth.
 */
export const growthBytesPerMs = (
  points: readonly Point[],
  windowMs: number,
  nowMs: number,
): number | undefined => {
  const seen = within(points, windowMs, nowMs)
  const [first, last] = [seen[0], seen.at(-1)]
  if (first === undefined || last === undefined || seen.length < MIN_POINTS) return undefined
  return last.atMs - first.atMs < windowMs / 2 ? undefined : median(slopes(spread(seen)))
}

/**
 * By how much its lowest point has risen: that of the second half of a window against that of the first; and how far it
 * went up and down in it. What comes and goes, as between two garbage collections, is as low again and again; a leak is
 * not.
 */
export const riseOf = (
  points: readonly Point[],
  windowMs: number,
  nowMs: number,
): { readonly riseBytes: number; readonly rangeBytes: number } => {
  const seen = within(points, windowMs, nowMs)
  const [first, last] = [seen[0], seen.at(-1)]
  if (first === undefined || last === undefined) return { riseBytes: 0, rangeBytes: 0 }
  const middleMs = (first.atMs + last.atMs) / 2
  const lowest = (part: readonly Point[]): number => Math.min(...part.map(({ rssBytes }) => rssBytes))
  const [before, after] = [
    lowest(seen.filter(({ atMs }) => atMs < middleMs)),
    lowest(seen.filter(({ atMs }) => atMs >= middleMs)),
  ]
  if (!Number.isFinite(before) || !Number.isFinite(after)) return { riseBytes: 0, rangeBytes: 0 }
  const highest = Math.max(...seen.map(({ rssBytes }) => rssBytes))
  return { riseBytes: after - before, rangeBytes: highest - Math.min(before, after) }
}

const THIN_EVERY = 16
const POINTS_PER_DOUBLING = 32
// 32 for each doubling of age are 12 days at one sample a second.
const MAX_POINTS = 640
const MIN_POINTS = 5
// 496 pairs: more make the answer no better.
const MAX_COMPARED = 32

const stepMsAt = (ageMs: number): number =>
  2 ** Math.max(0, Math.floor(Math.log2(ageMs / POINTS_PER_DOUBLING)))

const stepOf = ({ atMs }: Point, stepMs: number): number => Math.floor(atMs / stepMs)

// Means of equal parts of the time: the newest points are the densest and would outvote the rest, and single points
// would beat with whatever comes and goes in the process.
const spread = (points: readonly Point[]): readonly Point[] => {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || points.length <= MAX_COMPARED) return points
  const partMs = (last.atMs - first.atMs + 1) / MAX_COMPARED
  const parts = new Map<number, Point[]>()
  for (const point of points) {
    const part = Math.floor((point.atMs - first.atMs) / partMs)
    const members = parts.get(part)
    if (members === undefined) parts.set(part, [point])
    else members.push(point)
  }
  return Array.from(parts.values(), mean)
}

const mean = (points: readonly Point[]): Point => ({
  atMs: points.reduce((sum, { atMs }) => sum + atMs, 0) / points.length,
  rssBytes: points.reduce((sum, { rssBytes }) => sum + rssBytes, 0) / points.length,
})

// Typed, because this is most of what a turn costs, and numbers alone sort several times as fast.
const slopes = (points: readonly Point[]): Float64Array => {
  const found = new Float64Array((points.length * (points.length - 1)) / 2)
  let length = 0
  for (const [index, from] of points.entries()) {
    for (const to of points.slice(index + 1)) {
      if (to.atMs > from.atMs) found[length++] = (to.rssBytes - from.rssBytes) / (to.atMs - from.atMs)
    }
  }
  return found.subarray(0, length)
}

const median = (values: Float64Array): number | undefined => {
  const sorted = values.toSorted()
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}
