import { levelsOf, type Rule } from '../model.ts'

/** From which size on a probe tells of a process, and how much it must grow to be told of again. */
export type ProbeLevels = { readonly floorBytes: number; readonly stepBytes: number }

const MIB = 2 ** 20

/** Where no rule names a size, smaller processes are no news: a service that matters is larger. */
const FLOOR_BYTES = 64 * MIB

/**
 * What a probe has to be told so that no threshold is passed unseen. It counts anonymous memory alone, and a threshold
 * counts what is mapped from files too: from half of the lowest threshold on it tells. Thresholds of pods come and go, so where there may be some the floor
 * is no higher than without any.
 */
export function probeLevels(rules: readonly Rule[], hasPods = false): ProbeLevels {
  const levels = rules.flatMap(({ when }) => levelsOf(when))
  const thresholds = levels.flatMap((level) => {
    if (level.kind === 'steps') return level.bytes.slice(0, 1).map((bytes) => bytes / 2)
    return level.kind === 'rss' || level.kind === 'ratchet' ? [level.aboveBytes / 2] : []
  })
  const hasOthers =
    hasPods || levels.some(({ kind }) => kind !== 'rss' && kind !== 'steps' && kind !== 'ratchet')
  const floorBytes = Math.round(
    Math.min(...thresholds, ...(hasOthers || thresholds.length === 0 ? [FLOOR_BYTES] : [])),
  )
  return { floorBytes, stepBytes: Math.round(Math.min(16 * MIB, Math.max(2 * MIB, floorBytes / 16))) }
}
