import { type LevelCondition, levelsOf, type Rule, type Sample, type WatchedProcess } from '../model.ts'
import { rulesFor } from './rules-for.ts'

/** A sample this near to a threshold is worth a closer look. */
const NEAR = 0.8

/** Whether a sample is near a threshold of size. */
export const isNear = (sample: Sample, process: WatchedProcess, rules: readonly Rule[]): boolean =>
  rulesFor(process, rules).some(({ when }) => levelsOf(when).some((level) => isNearLevel(level, sample)))

const isNearLevel = (level: LevelCondition, { rssBytes, limit }: Sample): boolean => {
  if (level.kind === 'rss' || level.kind === 'ratchet') return rssBytes > level.aboveBytes * NEAR
  if (level.kind === 'steps') return rssBytes > (level.bytes[0] ?? 0) * NEAR
  return (
    level.kind === 'limit' &&
    limit !== undefined &&
    limit.usedBytes / limit.limitBytes > level.aboveShare * NEAR
  )
}
