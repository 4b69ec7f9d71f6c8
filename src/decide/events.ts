import { MEMORY_EVENTS, type MemoryEvent, type SampleExtras } from '../model.ts'

/** What had happened to a cgroup until a time. */
export type EventCount = { readonly atMs: number; readonly counts: NonNullable<SampleExtras['events']> }

/** One entry for each change, and the first. */
const MOST_ENTRIES = 256

/** Adds what the kernel has counted until now, where that has changed. */
export const addEvents = (
  log: readonly EventCount[],
  counts: SampleExtras['events'],
  atMs: number,
): readonly EventCount[] => {
  if (counts === undefined) return log
  const last = log.at(-1)
  const isSame = last !== undefined && MEMORY_EVENTS.every((event) => last.counts[event] === counts[event])
  return isSame ? log : [...log, { atMs, counts }].slice(-MOST_ENTRIES)
}

/** How often something has happened since a time; what was before we looked first does not count. */
export const eventsWithin = (log: readonly EventCount[], event: MemoryEvent, sinceMs: number): number => {
  const before = log.findLast(({ atMs }) => atMs <= sinceMs) ?? log[0]
  const [from, to] = [before?.counts[event], log.at(-1)?.counts[event]]
  return from === undefined || to === undefined ? 0 : Math.max(0, to - from)
}
