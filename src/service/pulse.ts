import type { ServiceState } from '../report/service-state.ts'
import { statusLine } from '../report/status-line.ts'
import type { ToldEvent } from '../report/told-event.ts'
import { captureBoundMs, type Heartbeat, nextHeartbeat } from './heartbeat.ts'
import type { Notifier } from './notify.ts'

export type PulseConfig = {
  readonly sampling: { readonly intervalMs: number }
  readonly capture: { readonly timeoutMs: number; readonly gdbTimeoutMs: number }
}

/**
 * Keeps the service manager informed: ready after the first look at everything, alive for as long as the loop turns or a
 * capture is within its bounds, and a line on how things are whenever that changes.
 */
export function createPulse(notifier: Notifier, stateOf: () => ServiceState, first: PulseConfig) {
  let config = first
  let heartbeat: Heartbeat = { deadlineMs: performance.now() + START_MS }
  let isReady = false
  let said = ''
  const tellStatus = (): void => {
    const line = statusLine(stateOf(), Date.now())
    if (line !== said) notifier.status(line)
    said = line
  }
  const beat = (): void => {
    tellStatus()
    if (performance.now() < heartbeat.deadlineMs) notifier.alive()
  }
  const timer =
    notifier.watchdogMs === undefined ? undefined : setInterval(beat, notifier.watchdogMs / PINGS).unref()
  return {
    use: (next: PulseConfig): void => void (config = next),
    onEvent: (event: ToldEvent): void => {
      const { sampling, capture } = config
      const limits = { intervalMs: sampling.intervalMs, captureMs: captureBoundMs(capture) }
      heartbeat = nextHeartbeat(heartbeat, event, limits, performance.now())
      if (stateOf().hasLooked && !isReady) {
        isReady = true
        notifier.ready()
      }
      tellStatus()
    },
    close: (): void => clearInterval(timer),
  }
}

/** From the start to the first look at everything. */
const START_MS = 120_000
/** In one period of the watchdog. */
const PINGS = 3
