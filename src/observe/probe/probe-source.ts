import type { ProbeKind, ProbeMeans, ProbeState } from '../../model.ts'
import type { TriggerSource } from '../triggers.ts'
import { createHintLimit } from './hint-limit.ts'
import type { Probe, ProbeEnd, ProbeEvent } from './probe.ts'

export type ProbeSourceOptions = {
  readonly kind: ProbeKind
  /** In the order of preference: one that cannot be attached gives way to the next. */
  readonly probes: readonly { readonly means: ProbeMeans; readonly probe: Probe }[]
  /** Whether growth of this process is any of our business. */
  readonly isOfInterest: (pid: number) => boolean
  /** In a pid namespace of our own the numbers may be those of another: a hint means everybody then. */
  readonly arePidsForeign: boolean
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
    const { kind, probes, isOfInterest, arePidsForeign, tell, now } = options
    const isFlooded = createHintLimit()
    const refused: string[] = []
    let failures = 0
    let retry: NodeJS.Timeout | undefined
    let hasToldLoss = false
    let stop = (): void => undefined

    const start = (): void => {
      const chosen = probes[refused.length]
      if (chosen === undefined) return tell({ kind: 'given-up', detail: refused.join('; ') })
      const { means, probe } = chosen
      stop = probe((event) => take(event, means), ended).stop
    }
    const take = (event: ProbeEvent, means: ProbeMeans): void => {
      switch (event.kind) {
        case 'attached':
          return tell({ kind: 'active', means, watches: kind, ...(refused[0] && { instead: refused[0] }) })
        case 'growth':
        case 'oom':
        case 'exit':
        case 'exec':
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
      if (!arePidsForeign && !isOfInterest(pid)) return
      if (isFlooded(now()) === 'fine') return push({ kind: 'growth', pid: arePidsForeign ? 0 : pid })
      stop()
      tell({ kind: 'given-up', detail: 'more than 50 hints a second for 10 s' })
    }
    const ended = ({ wasAttached, detail }: ProbeEnd): void => {
      if (!wasAttached) {
        // What could not be attached at all will not be the next time either.
        refused.push(detail)
        return start()
      }
      const waitMs = RETRY_AFTER_MS[failures++]
      if (waitMs === undefined) return tell({ kind: 'given-up', detail })
      tell({ kind: 'ended', detail, retryMs: waitMs })
      retry = setTimeout(start, waitMs)
    }

    start()
    return () => {
      clearTimeout(retry)
      stop()
    }
  }
