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
  let kept = dumps.toSorted((a, b) => a.startedMs - b.startedMs || (a.id < b.id ? -1 : 1))
  const expired: KeptDump[] = []
  for (;;) {
    const candidate = findCandidate(kept, keep, nowMs)
    if (candidate === undefined) return expired
    expired.push(candidate)
    kept = kept.filter((dump) => dump !== candidate)
  }
}

// One at a time: dropping the last dump that a baseline explains sets the baseline free.
function findCandidate(kept: readonly KeptDump[], keep: KeepLimits, nowMs: number): KeptDump | undefined {
  const held = new Set([...findNewest(kept), ...findNeededBaselines(kept)])
  const perTarget = countByTarget(kept)
  const totalBytes = kept.reduce((sum, dump) => sum + dump.bytes, 0)
  const isTooMuch = totalBytes > (keep.totalBytes ?? Infinity)
  return kept.find(
    (dump) =>
      !held.has(dump) &&
      dump.isPinned !== true &&
      (isTooMuch ||
        nowMs - dump.startedMs > (keep.ageMs ?? Infinity) ||
        (perTarget.get(dump.target) ?? 0) > (keep.perTarget ?? Infinity)),
  )
}

function countByTarget(kept: readonly KeptDump[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { target, isPinned } of kept)
    if (isPinned !== true) counts.set(target, (counts.get(target) ?? 0) + 1)
  return counts
}

// `kept` is oldest first, so a later entry replaces an earlier one.
const findNewest = (kept: readonly KeptDump[]): Iterable<KeptDump> =>
  new Map(kept.map((dump) => [dump.target, dump])).values()

function findNeededBaselines(kept: readonly KeptDump[]): readonly KeptDump[] {
  const needed = new Map<string, KeptDump>()
  const newestBaseline = new Map<string, KeptDump>()
  for (const dump of kept) {
    if (dump.isBaseline) {
      newestBaseline.set(dump.process, dump)
      continue
    }
    const baseline = newestBaseline.get(dump.process)
    if (baseline !== undefined) needed.set(dump.process, baseline)
  }
  return [...needed.values()]
}
