import type { Mapping } from '../proc/maps.ts'

/** Far from what grows: neither the heap upwards nor new mappings downwards come here soon. */
const LEAST_GAP = 2 ** 30
const MEGABYTE = 2 ** 20
/** End of user space on x86-64 and aarch64 with 47 and 48 bits; the smaller of the two. */
const TOP = 2 ** 47

/** An address in the middle of the largest gap between mappings; undefined when there is no large one. Pure. */
export function findFreeAddress(mappings: readonly Mapping[]): number | undefined {
  const user = mappings.filter(({ start }) => start < TOP)
  const gaps = user.slice(1).map(({ start }, index) => ({ from: user[index]?.end ?? start, to: start }))
  const [widest] = gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from))
  if (!widest || widest.to - widest.from < LEAST_GAP) return undefined
  return Math.floor((widest.from + widest.to) / 2 / MEGABYTE) * MEGABYTE
}
