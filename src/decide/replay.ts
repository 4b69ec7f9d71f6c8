import {
  type CaptureRequest,
  type DecideConfig,
  type Observation,
  processKey,
  type QuarantineChange,
  type TraceRequest,
} from '../model.ts'
import { expectedCaptureMs } from './capture-cost.ts'
import { decide } from './decide.ts'
import { emptyMemory, type Memory, remember, rememberCapture, rememberTrace } from './memory.ts'

/** What rules would have done with recorded samples. */
export type ReplayEvent =
  | {
      readonly kind: 'capture' | 'trace'
      readonly atMs: number
      /** When a capture of that size would have been done. */
      readonly doneMs: number
      readonly request: CaptureRequest | TraceRequest
      readonly target: string
      readonly rssBytes: number
    }
  | {
      readonly kind: 'oom'
      readonly atMs: number
      readonly pid: number
      readonly target: string
      readonly rssBytes: number
      /** From the verdict for the last capture of the process until it was killed; undefined without one. */
      readonly leadMs: number | undefined
    }
  | { readonly kind: 'quarantine'; readonly atMs: number; readonly change: QuarantineChange }

/** Runs rules over observations, one after the other; captures take as long as their size lets expect. */
export class Replay {
  readonly #config: DecideConfig
  #memory: Memory = emptyMemory()
  #busyUntilMs = Number.NEGATIVE_INFINITY
  readonly #lastVerdict = new Map<string, number>()

  constructor(config: DecideConfig) {
    this.#config = config
  }

  /** What happens at an observation. While a capture runs only ends are noticed, as in the daemon. */
  see(observation: Observation): readonly ReplayEvent[] {
    const { atMs } = observation
    const ends = (observation.endings ?? []).map(({ process }) => this.#end(process, atMs))
    // What was looked at meanwhile is seen afterwards: who appeared and who is gone must not be lost.
    const seen = atMs < this.#busyUntilMs ? { ...observation, samples: [] } : observation
    this.#memory = remember(this.#memory, seen)
    if (atMs < this.#busyUntilMs) return ends
    const decision = decide(this.#memory, { kind: 'interval' }, this.#config, atMs)
    this.#memory = decision.memory
    const quarantines = decision.quarantines.map((change): ReplayEvent => ({
      kind: 'quarantine',
      atMs,
      change,
    }))
    const { verdict } = decision
    return verdict.kind === 'wait'
      ? [...ends, ...quarantines]
      : [...ends, ...quarantines, this.#act(verdict, atMs)]
  }

  #end(process: Observation['gone'][number], atMs: number): ReplayEvent {
    const key = processKey(process)
    const known = this.#memory.processes.get(key)
    const verdictMs = this.#lastVerdict.get(key)
    return {
      kind: 'oom',
      atMs,
      pid: process.pid,
      target: known?.process?.target ?? '',
      rssBytes: known?.latest?.rssBytes ?? 0,
      leadMs: verdictMs === undefined ? undefined : atMs - verdictMs,
    }
  }

  #act(request: CaptureRequest | TraceRequest, atMs: number): ReplayEvent {
    const key = processKey(request.process)
    const known = this.#memory.processes.get(key)
    const target = known?.process?.target ?? ''
    const rssBytes = known?.latest?.rssBytes ?? 0
    const doneMs =
      request.kind === 'capture'
        ? atMs + expectedCaptureMs(this.#memory.captureCosts, target, rssBytes)
        : atMs
    this.#busyUntilMs = doneMs
    if (request.kind === 'capture') this.#lastVerdict.set(key, atMs)
    this.#memory =
      request.kind === 'capture'
        ? rememberCapture(this.#memory, request, doneMs)
        : rememberTrace(this.#memory, request, doneMs, 'traced')
    return { kind: request.kind, atMs, doneMs, request, target, rssBytes }
  }
}
