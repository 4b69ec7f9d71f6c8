import { type ProbeState, processKey, type Sample, type WatchedProcess } from '../model.ts'
import type { ToldEvent } from './told-event.ts'

/** What the daemon says of itself: what it watches, and what has happened last. */
export type ServiceState = {
  readonly version: string
  /** Wall clock, as all times here. */
  readonly startedMs: number
  readonly targets: number
  readonly rules: number
  readonly processes: ReadonlyMap<string, KnownProcess>
  readonly hasLooked: boolean
  readonly isCapturing: boolean
  readonly last: { readonly atMs: number; readonly what: string; readonly isGood: boolean } | undefined
  readonly captured: number
  readonly failed: number
  readonly oomKills: number
  /** Why the configuration on disk is not the one in force. */
  readonly refused: readonly string[] | undefined
  readonly pausedUntilMs: number | undefined
  readonly disk: { readonly freeBytes: number; readonly isLow: boolean } | undefined
  readonly probe: ProbeState | undefined
  /** Where dumps are sent; undefined before the first. */
  readonly uploads: { readonly left: number; readonly problem: string | undefined } | undefined
}

/** A process that is watched, and what is known of it. */
export type KnownProcess = {
  readonly process: WatchedProcess
  readonly rssBytes?: number | undefined
  /** Of the tightest limit. */
  readonly limitShare?: number | undefined
  /** Path of its last dump. */
  readonly dump?: string | undefined
}

/** Before anything has happened. */
export const initialState = (
  config: Pick<ServiceState, 'version' | 'targets' | 'rules' | 'startedMs'>,
): ServiceState => ({
  ...config,
  processes: new Map(),
  hasLooked: false,
  isCapturing: false,
  last: undefined,
  captured: 0,
  failed: 0,
  oomKills: 0,
  refused: undefined,
  pausedUntilMs: undefined,
  disk: undefined,
  probe: undefined,
  uploads: undefined,
})

/** The state after an event. */
export function nextServiceState(state: ServiceState, event: ToldEvent, nowMs: number): ServiceState {
  switch (event.kind) {
    case 'observed':
      return afterLook(state, event, nowMs)
    case 'decided':
      return event.verdict.kind === 'capture' ? { ...state, isCapturing: true } : state
    case 'finished':
      return afterCapture({ ...state, isCapturing: false }, event, nowMs)
    case 'reloaded':
      return afterReload(state, event)
    case 'config-refused':
      return { ...state, refused: event.problems }
    case 'disk':
      return { ...state, disk: event }
    case 'probe':
      return afterProbe(state, event.state)
    case 'paused':
      return afterPause(state, event.forMs, nowMs)
    case 'restarted':
      return {
        ...state,
        last: { atMs: nowMs, what: `restarted ${event.unit}`, isGood: event.problem === undefined },
      }
    case 'uploaded':
      return { ...state, uploads: { left: event.left, problem: event.problem?.detail } }
    case 'traced':
    case 'delivered':
      return state
    default:
      return event satisfies never
  }
}

const afterProbe = (state: ServiceState, probe: ProbeState): ServiceState =>
  probe.kind === 'lost' ? state : { ...state, probe }

const afterPause = (state: ServiceState, forMs: number, nowMs: number): ServiceState => ({
  ...state,
  pausedUntilMs: forMs === 0 ? undefined : nowMs + forMs,
})

const afterReload = (
  state: ServiceState,
  { targets, rules, isAnew }: Extract<ToldEvent, { readonly kind: 'reloaded' }>,
): ServiceState => ({
  ...state,
  targets,
  rules,
  refused: undefined,
  // Where dumps are sent may be another place now, or none.
  uploads: undefined,
  processes: isAnew === true ? new Map() : state.processes,
})

function afterLook(
  state: ServiceState,
  { observation }: Extract<ToldEvent, { readonly kind: 'observed' }>,
  nowMs: number,
): ServiceState {
  const { appeared, samples, gone, endings = [] } = observation
  const killed = endings.filter(({ how }) => how === 'oom-killed')
  let processes: Map<string, KnownProcess> | undefined
  const change = (): Map<string, KnownProcess> => (processes ??= new Map(state.processes))
  for (const process of appeared) {
    const key = processKey(process.id)
    change().set(key, { ...change().get(key), process })
  }
  for (const sample of samples) {
    const key = processKey(sample.process)
    const known = (processes ?? state.processes).get(key)
    const limitShare = shareOf(sample)
    if (known && (known.rssBytes !== sample.rssBytes || isOther(known.limitShare, limitShare)))
      change().set(key, { ...known, rssBytes: sample.rssBytes, limitShare })
  }
  for (const id of gone) change().delete(processKey(id))
  const [first] = killed
  const last = first && {
    atMs: nowMs,
    what: `${state.processes.get(processKey(first.process))?.process.target ?? 'a process'} (pid ${first.process.pid}) OOM-killed`,
    isGood: false,
  }
  return {
    ...state,
    processes: processes ?? state.processes,
    hasLooked: true,
    oomKills: state.oomKills + killed.length,
    last: last ?? state.last,
  }
}

/** The host's own memory is never the same twice. */
const LEAST_SHARE = 0.001

const isOther = (before = -1, after = -1): boolean => Math.abs(before - after) >= LEAST_SHARE

const shareOf = ({ limit }: Sample): number | undefined => limit && limit.usedBytes / limit.limitBytes

function afterCapture(
  state: ServiceState,
  { request, outcome }: Extract<ToldEvent, { readonly kind: 'finished' }>,
  nowMs: number,
): ServiceState {
  const key = processKey(request.process)
  const known = state.processes.get(key)
  const name = `${known?.process.target ?? 'process'} (pid ${request.process.pid})`
  if (outcome.kind === 'dumped' || outcome.kind === 'dumped-outside') {
    const isGood = outcome.kind === 'dumped'
    const what = `${name} ${isGood ? 'captured' : 'seen from outside alone'}, by ${request.fired.rule}`
    return {
      ...state,
      processes: known
        ? new Map(state.processes).set(key, { ...known, dump: outcome.published.path })
        : state.processes,
      captured: state.captured + Number(isGood),
      failed: state.failed + Number(!isGood),
      last: { atMs: nowMs, what, isGood },
    }
  }
  const reason = reasonOf(outcome)
  const last = { atMs: nowMs, what: `${name} not captured: ${reason}`, isGood: false }
  return reason === 'busy' ? state : { ...state, failed: state.failed + 1, last }
}

type Unwritten = Extract<
  Extract<ToldEvent, { readonly kind: 'finished' }>['outcome'],
  { readonly kind: 'refused' | 'not-stored' }
>

const reasonOf = (outcome: Unwritten): string =>
  outcome.kind === 'not-stored'
    ? outcome.failure.reason
    : outcome.outcome.kind === 'failed'
      ? outcome.outcome.reason
      : 'unknown'
