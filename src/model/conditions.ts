/** What a rule can be about. */

/** One thing that is measured. */
export type LevelCondition =
  | { readonly kind: 'rss'; readonly aboveBytes: number; readonly clearBelowBytes: number }
  /** Each of these sizes once in a process's life; ascending. */
  | { readonly kind: 'steps'; readonly bytes: readonly number[] }
  /** Above a size, and again only when it is so much above the last captured one. */
  | { readonly kind: 'ratchet'; readonly aboveBytes: number; readonly riseShare: number }
  /** Shares are 0…1 of the tightest limit. */
  | { readonly kind: 'limit'; readonly aboveShare: number; readonly clearBelowShare: number }
  | {
      readonly kind: 'growth'
      readonly aboveBytesPerMs: number
      readonly clearBelowBytesPerMs: number
      readonly windowMs: number
      /** Smaller processes may grow as they like. */
      readonly floorBytes?: number | undefined
      /** What its lowest point must have risen by, from the first half of the window to the second. */
      readonly minChangeBytes?: number | undefined
    }
  /** Room left under the tightest limit, divided by the growth over the window. */
  | {
      readonly kind: 'time-to-limit'
      readonly belowMs: number
      readonly clearAboveMs: number
      readonly windowMs: number
      /** Earlier where so many captures of the process would take longer, as they were measured. */
      readonly captures?: number | undefined
    }
  /** Share of time in which tasks stood still for want of memory (PSI). */
  | {
      readonly kind: 'pressure'
      readonly aboveShare: number
      readonly clearBelowShare: number
      readonly of: 'cgroup' | 'host'
      readonly stall: 'some' | 'full'
      /** The kernel's own averages. */
      readonly over: PressureWindow
    }
  /** What happened to the process's cgroup, counted over a window. */
  | {
      readonly kind: 'memory-events'
      readonly event: MemoryEvent
      readonly aboveCount: number
      readonly windowMs: number
    }
  /** RSS as a share of what its cgroup uses. */
  | { readonly kind: 'cgroup-share'; readonly aboveShare: number; readonly clearBelowShare: number }
  | {
      readonly kind: 'swap' | 'pss' | 'uss'
      readonly aboveBytes: number
      readonly clearBelowBytes: number
    }
  /** Since the process was started. */
  | { readonly kind: 'age'; readonly aboveMs: number }

export const PRESSURE_WINDOWS = ['10s', '1m', '5m'] as const
export type PressureWindow = (typeof PRESSURE_WINDOWS)[number]

/** Of cgroup v2; v1 counts `max` and `oom_kill`. */
export const MEMORY_EVENTS = ['high', 'max', 'oom_kill'] as const
export type MemoryEvent = (typeof MEMORY_EVENTS)[number]

export type Condition =
  | LevelCondition
  /** One level deep. */
  | { readonly kind: 'all' | 'any'; readonly conditions: readonly LevelCondition[] }
  | { readonly kind: 'schedule'; readonly cron: string; readonly timezone?: string | undefined }

/** The things that a condition measures; none of a schedule. */
export const levelsOf = (when: Condition): readonly LevelCondition[] => {
  if (when.kind === 'schedule') return []
  return 'conditions' in when ? when.conditions : [when]
}

/** Averages of the share of time in which some or all tasks stood still for want of memory, 0…1. */
export type Pressure = Readonly<Record<'some' | 'full', Readonly<Record<PressureWindow, number>>>>

/** What is only read of a process where a rule asks for it. */
export type SampleExtras = {
  readonly swapBytes?: number | undefined
  /** Read now and then, as reading it costs the process. */
  readonly pssBytes?: number | undefined
  readonly ussBytes?: number | undefined
  readonly ageMs?: number | undefined
  readonly pressure?: Readonly<Partial<Record<'cgroup' | 'host', Pressure>>> | undefined
  /** Of the process's cgroup, since it was made. */
  readonly events?: Readonly<Partial<Record<MemoryEvent, number>>> | undefined
}

/** What rules want to know of a process besides its size. */
export type WantedExtras = {
  readonly swap: boolean
  readonly age: boolean
  readonly hostPressure: boolean
  readonly cgroupPressure: boolean
  readonly events: boolean
  /** PSS and USS, of processes whose RSS is above this: they are never more than that. */
  readonly proportionalAboveBytes: number | undefined
}
