/** How long a capture takes per byte, as measured, by target. */
export type CaptureCosts = ReadonlyMap<string, number>

const GIB = 2 ** 30
/** Below this a capture takes as long as at it. */
const LEAST_BYTES = GIB / 4
/** Before one is measured: slower than what was, on a small machine (2.6 s for 3.8 GiB). */
const PRIOR_MS_PER_BYTE = 4000 / GIB
const NEWEST_WEIGHT = 0.5

/** What a capture of a process of this size will take. */
export const expectedCaptureMs = (
  costs: CaptureCosts | undefined,
  target: string,
  rssBytes: number,
): number => (costs?.get(target) ?? PRIOR_MS_PER_BYTE) * Math.max(LEAST_BYTES, rssBytes)

/** Adds what one took; the newest counts for half. */
export const addCaptureCost = (
  costs: CaptureCosts,
  target: string,
  rssBytes: number,
  tookMs: number,
): CaptureCosts => {
  const measured = tookMs / Math.max(LEAST_BYTES, rssBytes)
  const before = costs.get(target)
  const next = before === undefined ? measured : before + (measured - before) * NEWEST_WEIGHT
  return new Map(costs).set(target, next)
}
