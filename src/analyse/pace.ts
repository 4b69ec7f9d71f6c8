import type { RssPoint } from '../model.ts'

/** How RSS has moved before the capture. */
export type Pace =
  | { readonly kind: 'moving'; readonly bytesPerMinute: number; readonly overMs: number }
  | { readonly kind: 'flat'; readonly overMs: number }

const recentSeconds = 600

/** The pace of the last ten minutes, or of the whole history where those are flat; undefined when too little was seen. */
export function measurePace(history: readonly RssPoint[]): Pace | undefined {
  const recent = paceOf(history.filter(({ secondsAgo }) => secondsAgo <= recentSeconds))
  return recent?.kind === 'moving' ? recent : paceOf(history)
}

function paceOf(points: readonly RssPoint[]): Pace | undefined {
  const sorted = points.toSorted((a, b) => b.secondsAgo - a.secondsAgo)
  const oldest = sorted[0]
  const newest = sorted.at(-1)
  if (oldest === undefined || newest === undefined) return undefined
  const seconds = oldest.secondsAgo - newest.secondsAgo
  // Shorter than this, one burst looks like a trend.
  if (seconds < 10) return undefined
  const grownBytes = newest.rssBytes - oldest.rssBytes
  const isFlat = Math.abs(grownBytes) < Math.max(2 ** 20, oldest.rssBytes * 0.005)
  return isFlat
    ? { kind: 'flat', overMs: seconds * 1000 }
    : { kind: 'moving', bytesPerMinute: (grownBytes / seconds) * 60, overMs: seconds * 1000 }
}
