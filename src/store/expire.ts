/** How much is kept; what is undefined is not limited. */
export type KeepLimits = {
  readonly totalBytes?: number | undefined
  readonly ageMs?: number | undefined
  readonly perTarget?: number | undefined
}

/** What expiry needs to know of a dump. */
export type KeptDump = {
  readonly id: string
  readonly target: string
  /** Wall clock. */
  readonly startedMs: number
  readonly bytes: number
  /** The process, as `processKey` names it. */
  readonly process: string
  readonly isBaseline: boolean
  /** Stays whatever the limits say; its size counts all the same. */
  readonly isPinned?: boolean | undefined
  /** Not sent yet to where dumps are sent: it goes for want of room alone. */
  readonly isUnsent?: boolean | undefined
}

/**
 * The dumps to drop, in the order to drop them: oldest first, never a pinned one or the newest of a target, and never
 * the newest baseline of a process while a later dump of this process is kept that it explains.
 */
export function chooseExpired(
  dumps: readonly KeptDump[],
  keep: KeepLimits,
  nowMs: number,
): readonly KeptDump[] {
  const sorted = dumps.toSorted((a, b) => a.startedMs - b.startedMs || (a.id < b.id ? -1 : 1))
  const places = new Map(sorted.map((dump, place) => [dump, place]))
  const newest = new Set(new Map(sorted.map((dump) => [dump.target, dump])).values())
  const byProcess = groupByProcess(sorted)
  const needed = new Map([...byProcess].map(([process, own]) => [process, findNeededBaseline(own)]))
  const counts = countByTarget(sorted)
  let totalBytes = sorted.reduce((sum, dump) => sum + dump.bytes, 0)
  const isTooMuch = (dump: KeptDump): boolean =>
    totalBytes > (keep.totalBytes ?? Infinity) ||
    (dump.isUnsent !== true &&
      (nowMs - dump.startedMs > (keep.ageMs ?? Infinity) ||
        (counts.get(dump.target) ?? 0) > (keep.perTarget ?? Infinity)))
  const expired = new Set<KeptDump>()
  let place = 0
  for (let dump = sorted[place]; dump !== undefined; dump = sorted[place]) {
    const isHeld = dump.isPinned === true || newest.has(dump) || needed.get(dump.process) === dump
    if (isHeld || expired.has(dump) || !isTooMuch(dump)) {
      place += 1
      continue
    }
    expired.add(dump)
    totalBytes -= dump.bytes
    counts.set(dump.target, (counts.get(dump.target) ?? 0) - 1)
    // Dropping the last dump that a baseline explains sets the baseline free, and it is the oldest then.
    const before = needed.get(dump.process)
    const own = byProcess.get(dump.process)?.filter((other) => !expired.has(other)) ?? []
    needed.set(dump.process, findNeededBaseline(own))
    const isFreed = before !== undefined && needed.get(dump.process) !== before
    place = isFreed ? (places.get(before) ?? 0) : place + 1
  }
  return [...expired]
}

function groupByProcess(sorted: readonly KeptDump[]): ReadonlyMap<string, readonly KeptDump[]> {
  const groups = new Map<string, KeptDump[]>()
  for (const dump of sorted) {
    const group = groups.get(dump.process)
    if (group) group.push(dump)
    else groups.set(dump.process, [dump])
  }
  return groups
}

function countByTarget(kept: readonly KeptDump[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { target, isPinned } of kept)
    if (isPinned !== true) counts.set(target, (counts.get(target) ?? 0) + 1)
  return counts
}

/** The baseline that the newest other dump of a process is compared with; `own` is oldest first. */
function findNeededBaseline(own: readonly KeptDump[]): KeptDump | undefined {
  const last = own.findLastIndex(({ isBaseline }) => !isBaseline)
  return own.slice(0, Math.max(0, last)).findLast(({ isBaseline }) => isBaseline)
}
