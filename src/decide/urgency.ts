import { type LevelCondition, levelsOf, type Rule } from '../model.ts'

// Who is about to hit a limit loses the evidence; who is only large or growing does not yet.
const RANK: Readonly<Record<LevelCondition['kind'] | 'schedule', number>> = {
  limit: 0,
  'time-to-limit': 0,
  pressure: 0,
  'memory-events': 0,
  rss: 1,
  steps: 1,
  ratchet: 1,
  'cgroup-share': 1,
  swap: 1,
  pss: 1,
  uss: 1,
  growth: 2,
  age: 2,
  schedule: 3,
}

/** A rule is as urgent as the most urgent thing that it measures. */
export const rankOf = ({ when }: Rule): number =>
  Math.min(RANK.schedule, ...levelsOf(when).map(({ kind }) => RANK[kind]))

/** Whether a rule is about running out of memory soon. */
export const isUrgent = (rule: Rule): boolean => rankOf(rule) === 0
