import type { TriggerSource } from './triggers.ts'

/** Looks at single processes that are asked for; of two for one process the later one counts. */
export type Revisits = {
  readonly source: TriggerSource
  readonly plan: (pid: number, inMs: number) => void
}

/** Timers for looks between two intervals. */
export function createRevisits(): Revisits {
  const timers = new Map<number, NodeJS.Timeout>()
  let push: Parameters<TriggerSource>[0] = () => undefined
  return {
    source: (given) => {
      push = given
      return () => {
        for (const timer of timers.values()) clearTimeout(timer)
        timers.clear()
      }
    },
    plan: (pid, inMs) => {
      clearTimeout(timers.get(pid))
      const look = (): void => {
        timers.delete(pid)
        push({ kind: 'growth', pid })
      }
      timers.set(pid, setTimeout(look, inMs))
    },
  }
}
