import type { ProbeKind, ProbeState } from '../../model.ts'
import type { TriggerSource } from '../triggers.ts'
import { createHintLimit } from './hint-limit.ts'
import type { ProbeEvent } from './parse-probe-line.ts'
import { type ProbeEnd, type ProbeProgram, runBpftrace } from './run-bpftrace.ts'

export type ProbeSourceOptions = {
  readonly kind: ProbeKind
  readonly program: ProbeProgram
  /** Whether growth of this process is any of our business. */
  readonly isOfInterest: (pid: number) => boolean
  /** Told once for each change, not for each event. */
  readonly tell: (state: ProbeState) => void
  readonly now: () => number
}

/** How long until a probe that ended is started again; after the last it is given up, and processes are polled. */
const RETRY_AFTER_MS = [1000, 10_000, 60_000]

/**
 * Growth as the kernel sees it, as triggers. Whatever happens to the probe costs latency and nothing else: the interval
 * goes on, and a hint only says where to look now.
 */
export const probeSource =
  (options: ProbeSourceOptions): TriggerSource =>
  (push) => {
    const { kind, program, isOfInterest, tell, now } = options
    const isFlooded = createHintLimit()
    let failures = 0
    let retry: NodeJS.Timeout | undefined
    let hasToldLoss = false

    const start = (): void => {
      running = runBpftrace(program, take, ended)
    }
    const take = (event: ProbeEvent): void => {
      switch (event.kind) {
        case 'attached':
          return tell({ kind: 'active', watches: kind })
        case 'growth':
        case 'oom':
          return hint(event.pid)
        case 'lost':
          // Nobody knows whose they were.
          push({ kind: 'interval' })
          if (!hasToldLoss) tell({ kind: 'lost', events: event.events })
          hasToldLoss = true
          return
        default:
          return event satisfies never
      }
    }
    const hint = (pid: number): void => {
      if (!isOfInterest(pid)) return
      if (isFlooded(now()) === 'fine') return push({ kind: 'growth', pid })
      running.stop()
      tell({ kind: 'given-up', detail: 'more than 50 hints a second for 10 s' })
    }
    const ended = ({ wasAttached, detail }: ProbeEnd): void => {
      const waitMs = RETRY_AFTER_MS[failures++]
      // One that could not be attached at all will not be the next time either.
      if (!wasAttached || waitMs === undefined) return tell({ kind: 'given-up', detail })
      tell({ kind: 'ended', detail, retryMs: waitMs })
      retry = setTimeout(start, waitMs)
    }

    let running = runBpftrace(program, take, ended)
    return () => {
      clearTimeout(retry)
      running.stop()
    }
  }
