import type { ProcessMemory } from './memory.ts'
import { growthBytesPerMs } from './points.ts'

/** Growth over a window, and when it was worked out; undefined as long as too little is seen. */
export type Growth = { readonly atMs: number; readonly bytesPerMs: number | undefined }

/** Growth is a median over a window, so in this part of the window it hardly changes. */
const STALE_PART = 32

/** Growth over these windows, worked out anew where it is stale: that is most of what a turn costs. */
export const refreshGrowths = (
  { growths, points }: Pick<ProcessMemory, 'growths' | 'points'>,
  windowsMs: readonly number[],
  nowMs: number,
): ReadonlyMap<number, Growth> => {
  const isFresh = (windowMs: number): boolean => {
    const known = growths?.get(windowMs)
    return known !== undefined && nowMs - known.atMs < windowMs / STALE_PART
  }
  if (growths !== undefined && growths.size === windowsMs.length && windowsMs.every(isFresh)) return growths
  return new Map(
    windowsMs.map((windowMs) => {
      const known = isFresh(windowMs) ? growths?.get(windowMs) : undefined
      return [windowMs, known ?? { atMs: nowMs, bytesPerMs: growthBytesPerMs(points, windowMs, nowMs) }]
    }),
  )
}

/** Growth of a process over a window; undefined as long as too little of it is seen. */
export const growthOf = (
  { growths, points }: Pick<ProcessMemory, 'growths' | 'points'>,
  windowMs: number,
  nowMs: number,
): number | undefined => {
  const known = growths?.get(windowMs)
  return known === undefined ? growthBytesPerMs(points, windowMs, nowMs) : known.bytesPerMs
}
