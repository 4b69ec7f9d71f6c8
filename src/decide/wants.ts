import { levelsOf, type Rule, type WantedExtras } from '../model.ts'

/** What these rules want to know. Those of pods want no more than size, limit and growth, which is always read. */
export const wantsOf = (rules: readonly Rule[]): WantedExtras => {
  const levels = rules.flatMap(({ when }) => levelsOf(when))
  const has = (test: (level: (typeof levels)[number]) => boolean): boolean => levels.some(test)
  const proportional = levels.flatMap((level) =>
    level.kind === 'pss' || level.kind === 'uss' ? [level.aboveBytes] : [],
  )
  return {
    swap: has(({ kind }) => kind === 'swap'),
    age: has(({ kind }) => kind === 'age'),
    hostPressure: has((level) => level.kind === 'pressure' && level.of === 'host'),
    cgroupPressure: has((level) => level.kind === 'pressure' && level.of === 'cgroup'),
    events: has(({ kind }) => kind === 'memory-events'),
    proportionalAboveBytes: proportional.length === 0 ? undefined : Math.min(...proportional),
  }
}
