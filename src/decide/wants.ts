import { levelsOf, type Rule } from '../model.ts'

/** What rules want to know of a process besides its size. */
export type Wants = {
  readonly swap: boolean
  readonly age: boolean
  readonly hostPressure: boolean
  readonly cgroupPressure: boolean
  readonly events: boolean
  /** PSS and USS, of processes whose RSS is above this: they are never more than that. */
  readonly proportionalAboveBytes: number | undefined
}

/** What these rules want to know. */
export const wantsOf = (rules: readonly Rule[]): Wants => {
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
