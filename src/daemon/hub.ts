import type { Log } from '../log.ts'
import { linesOf } from '../report/log-lines.ts'
import { nextServiceState, type ServiceState } from '../report/service-state.ts'
import type { ToldEvent } from '../report/told-event.ts'

/** Hears an event, with the state of the service before it. */
export type Listener = (event: ToldEvent, before: ServiceState) => void

/** Where everything that happens comes together: it is logged, kept in the state, and heard by whoever listens. */
export type Hub = {
  readonly tell: (event: ToldEvent) => void
  readonly state: () => ServiceState
  readonly listen: (listener: Listener) => void
}

export function createHub(log: Log, initial: ServiceState): Hub {
  const listeners: Listener[] = []
  let state = initial
  return {
    tell: (event) => {
      const before = state
      state = nextServiceState(state, event, Date.now())
      for (const { level, fields, message } of linesOf(event)) log[level](fields, message)
      for (const listener of listeners) listener(event, before)
    },
    state: () => state,
    listen: (listener) => void listeners.push(listener),
  }
}
