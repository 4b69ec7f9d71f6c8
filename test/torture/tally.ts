/** What came of the captures of one case with one interpreter. */
export type Tally = {
  captures: number
  complete: number
  /** Snapshots that had to be taken again. */
  retries: number
  /** Rightly left alone, by reason. */
  refused: Record<string, number>
  /** Neither complete nor rightly left alone, by reason. */
  failed: Record<string, number>
  crashed: number
  hung: number
  misbehaved: number
  /** What was seen when something hurt. */
  details: string[]
  longestPauseMs: number
}

export const emptyTally = (): Tally => ({
  captures: 0,
  complete: 0,
  retries: 0,
  refused: {},
  failed: {},
  crashed: 0,
  hung: 0,
  misbehaved: 0,
  details: [],
  longestPauseMs: 0,
})

const MOST_DETAILS = 20

/** Notes what was seen, as long as there are not too many notes. */
export function note(tally: Tally, detail: string): void {
  if (tally.details.length < MOST_DETAILS) tally.details.push(detail)
}

export function count(counts: Record<string, number>, reason: string, by = 1): void {
  counts[reason] = (counts[reason] ?? 0) + by
}

/** Several tallies as one. */
export function sum(tallies: readonly Tally[]): Tally {
  const total = emptyTally()
  for (const tally of tallies) {
    for (const name of ['captures', 'complete', 'retries', 'crashed', 'hung', 'misbehaved'] as const)
      total[name] += tally[name]
    for (const name of ['refused', 'failed'] as const)
      for (const [reason, times] of Object.entries(tally[name])) count(total[name], reason, times)
    for (const detail of tally.details) note(total, detail)
    total.longestPauseMs = Math.max(total.longestPauseMs, tally.longestPauseMs)
  }
  return total
}

export const countAll = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, times) => total + times, 0)

/** Whether any service was harmed. */
export const hasHurt = ({ crashed, hung, misbehaved }: Tally): boolean => crashed + hung + misbehaved > 0

/** The share of captures that ended in a complete dump, of those that were not rightly refused. */
export function completeShare({ captures, complete, refused }: Tally): number {
  const due = captures - countAll(refused)
  return due === 0 ? 1 : complete / due
}
