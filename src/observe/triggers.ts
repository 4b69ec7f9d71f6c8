import type { Trigger } from '../model.ts'

/** Something that wakes the daemon up besides its interval: starts, pushes triggers, and is stopped by what it returns. */
export type TriggerSource = (push: (trigger: Trigger) => void) => () => void

export type TriggersOptions = {
  readonly intervalMs: number
  readonly sources: readonly TriggerSource[]
  readonly signal: AbortSignal
}

/**
 * The interval and all sources as one stream, from now until the signal. While the reader is busy at most one interval,
 * one trigger per scheduled rule and one per growing process wait for it. A demand passes everything that waits.
 */
export async function* triggers({ intervalMs, sources, signal }: TriggersOptions): AsyncGenerator<Trigger> {
  const waiting = new Map<string, Trigger>([['interval', { kind: 'interval' }]])
  let wake = nothing
  const push = (trigger: Trigger): void => {
    // The next interval looks at every process anyway.
    if (waiting.size < MAX_WAITING) waiting.set(triggerKey(trigger), trigger)
    wake()
  }
  const onAbort = (): void => wake()
  const stops = [startInterval(intervalMs, push), ...sources.map((source) => source(push))]
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const next = firstOf(waiting)
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      waiting.delete(next[0])
      yield next[1]
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const stop of stops) stop()
  }
}

/**
 * How long until the next whole interval after the start; ticks that were missed are left out. Whole milliseconds, as
 * timers know no others: one that fires a little early would tick twice.
 */
export const nextTickMs = (startMs: number, intervalMs: number, nowMs: number): number =>
  Math.ceil(intervalMs - ((nowMs - startMs) % intervalMs))

const MAX_WAITING = 1024

const firstOf = (waiting: ReadonlyMap<string, Trigger>): [string, Trigger] | undefined => {
  for (const entry of waiting) if (entry[1].kind === 'demand') return entry
  const [first] = waiting
  return first
}

const nothing = (): void => {}

const triggerKey = (trigger: Trigger): string => {
  switch (trigger.kind) {
    case 'interval':
      return 'interval'
    case 'growth':
      return `growth ${trigger.pid}`
    case 'schedule':
      return `schedule ${trigger.rule}`
    case 'demand':
      return `demand ${trigger.demand.id}`
    case 'pause':
      return 'pause'
    default:
      return trigger satisfies never
  }
}

const startInterval = (intervalMs: number, push: (trigger: Trigger) => void): (() => void) => {
  const startMs = performance.now()
  let timer: NodeJS.Timeout
  const wait = (): void => {
    timer = setTimeout(tick, nextTickMs(startMs, intervalMs, performance.now()))
  }
  const tick = (): void => {
    push({ kind: 'interval' })
    wait()
  }
  wait()
  return () => clearTimeout(timer)
}
