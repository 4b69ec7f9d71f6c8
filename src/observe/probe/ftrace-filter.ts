/** More would not fit the page that a filter may be. */
const MAX_SPACES = 64

/** The address spaces that were told of, by the kernel's number for them, and from which size on they are news again. */
export type Told = ReadonlyMap<number, number>

/** Remembers that an address space was told of; the one that was told of longest ago is forgotten for it. Pure. */
export function addTold(told: Told, mm: number, nextBytes: number): Told {
  const others = [...told].filter(([known]) => known !== mm)
  return new Map([...others.slice(-(MAX_SPACES - 1)), [mm, nextBytes]])
}

/**
 * The filter of kmem:rss_stat: anonymous memory (member 1) of the task that runs (curr 1), from the floor on, and of who
 * was told of from the next step on. Pure.
 */
export const ftraceFilter = (floorBytes: number, told: Told): string =>
  [
    'member==1 && curr==1',
    `size>=${floorBytes}`,
    ...[...told].map(([mm, bytes]) => `(mm_id!=${mm} || size>=${bytes})`),
  ].join(' && ')
