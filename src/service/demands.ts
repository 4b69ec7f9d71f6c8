import type { Demand, Trigger } from '../model.ts'
import type { ToldEvent, ToldOutcome } from '../report/told-event.ts'

/** What becomes of a demand. */
export type DemandAnswer =
  | { readonly kind: 'finished'; readonly outcome: ToldOutcome }
  | { readonly kind: 'not-watched' }
  | { readonly kind: 'too-many' }
  | { readonly kind: 'ending' }

export type Demands = {
  /** Asks the loop for a capture; it is answered when that has ended, or cannot be. */
  readonly ask: (demand: Omit<Demand, 'id'>) => Promise<DemandAnswer>
  /** Of the loop's triggers. */
  readonly source: (push: (trigger: Trigger) => void) => () => void
  readonly pause: (forMs: number) => void
  /** Hears what happens, to answer. */
  readonly onEvent: (event: ToldEvent) => void
  /** Answers everybody who waits: nothing more is captured. */
  readonly close: () => void
}

/** What others ask the loop for. A demand that is asked while the loop begins anew waits for it. */
export function createDemands(): Demands {
  const open = new Map<
    string,
    { readonly trigger: Trigger; readonly answer: (answer: DemandAnswer) => void }
  >()
  let push: ((trigger: Trigger) => void) | undefined
  let waitingPause: Trigger | undefined
  let count = 0
  const answer = (id: string, given: DemandAnswer): void => {
    open.get(id)?.answer(given)
    open.delete(id)
  }
  return {
    ask: (demand) => {
      if (open.size >= MOST_OPEN) return Promise.resolve({ kind: 'too-many' })
      const id = `${++count}`
      const trigger = { kind: 'demand', demand: { ...demand, id } } as const
      return new Promise((resolve) => {
        open.set(id, { trigger, answer: resolve })
        push?.(trigger)
      })
    },
    source: (to) => {
      push = to
      for (const { trigger } of open.values()) push(trigger)
      if (waitingPause) push(waitingPause)
      waitingPause = undefined
      return () => {
        push = undefined
      }
    },
    pause: (forMs) => {
      const trigger = { kind: 'pause', forMs } as const
      if (push) push(trigger)
      else waitingPause = trigger
    },
    onEvent: (event) => {
      if (event.kind === 'finished' && event.request.demand !== undefined)
        answer(event.request.demand, { kind: 'finished', outcome: event.outcome })
      if (event.kind !== 'decided' || event.trigger.kind !== 'demand') return
      const { id } = event.trigger.demand
      const isTaken = event.verdict.kind === 'capture' && event.verdict.demand === id
      if (!isTaken) answer(id, { kind: 'not-watched' })
    },
    close: () => {
      for (const id of open.keys()) answer(id, { kind: 'ending' })
    },
  }
}

const MOST_OPEN = 16
