import {
  type CaptureKind,
  type CaptureRequest,
  type DecideConfig,
  type Demand,
  type FiredRule,
  type QuarantineChange,
  type RuleAction,
  type TraceRequest,
  type Trigger,
  type Verdict,
  type Wait,
  type WatchedProcess,
} from '../model.ts'
import { advance, DEFAULT_INTERVAL_MS, type Standing } from './advance.ts'
import { whyNot } from './budget.ts'
import { type Memory, pauseLeftMs, type ProcessMemory, seenOf } from './memory.ts'
import { nextLooks, type LookLimits, type NextLook } from './next-looks.ts'
import { markQuarantines, quarantineLeftMs } from './quarantine.ts'
import { rankOf } from './urgency.ts'

export type Decision = {
  readonly verdict: Verdict
  /** Why nothing else is captured this turn; bounded, the plain `below-threshold` last. */
  readonly waits: readonly Wait[]
  /** Quarantines that begin or end this turn. */
  readonly quarantines: readonly QuarantineChange[]
  /** The process for which a capture is likely to be asked for soon, so that everything had better be ready. */
  readonly near: WatchedProcess | undefined
  /** Who is worth a look before the next interval. */
  readonly nextLooks: readonly NextLook[]
  readonly memory: Memory
}

/** Moves every rule on and chooses what to capture now: the process that needs it most, or none. */
export const decide = (memory: Memory, trigger: Trigger, config: DecideConfig, nowMs: number): Decision => {
  const { memory: marked, changes } = markQuarantines(pause(memory, trigger, nowMs), config, nowMs)
  const { memory: after, standings } = advance(marked, trigger, config, nowMs)
  const judged = standings.map((standing) => ({
    standing,
    reason: whyNot(after, standing, config, nowMs),
  }))
  const ready = judged.filter(({ reason }) => reason === undefined).map(({ standing }) => standing)
  const demanded = trigger.kind === 'demand' ? requestDemanded(after, trigger.demand) : undefined
  const chosen = demanded === undefined ? ready.toSorted(byUrgency)[0] : undefined
  const request =
    demanded ??
    (chosen === undefined ? requestBaseline(after, config, nowMs) : requestAction(chosen, standings))
  const waits = toWaits(judged.filter(({ standing }) => standing !== chosen))
  const near = judged
    .filter(isNearThreshold)
    .map(({ standing }) => standing)
    .toSorted(byUrgency)[0]?.process
  return {
    verdict: request ?? { kind: 'wait', waits },
    waits,
    quarantines: changes,
    near,
    nextLooks: nextLooks(standings, lookLimits(config), nowMs),
    memory: after,
  }
}

const pause = (memory: Memory, trigger: Trigger, nowMs: number): Memory =>
  trigger.kind === 'pause' ? { ...memory, pausedUntilMs: nowMs + trigger.forMs } : memory

const lookLimits = ({ fastestMs, intervalMs = DEFAULT_INTERVAL_MS }: DecideConfig): LookLimits => ({
  fastestMs: fastestMs ?? intervalMs,
  intervalMs,
})

/** Of the threshold. */
const NEAR = 0.8

const MAX_WAITS = 256

const byUrgency = (a: Standing, b: Standing): number =>
  // Where a capture is due already, tracing from now on can wait.
  Number(isTrace(a)) - Number(isTrace(b)) ||
  rankOf(a.rule) - rankOf(b.rule) ||
  compare(needOf(b), needOf(a)) ||
  compare(rssOf(b), rssOf(a)) ||
  a.process.id.pid - b.process.id.pid

const needOf = ({ reading }: Standing): number => (reading?.kind === 'value' ? reading.need : 0)

const rssOf = ({ known }: Standing): number => known.latest?.rssBytes ?? 0

// Not by difference: two infinite needs have none.
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1)

const isTrace = ({ rule }: Standing): boolean => rule.action.kind === 'trace'

// A trace satisfies no rule that captures, nor the other way round.
const requestAction = (chosen: Standing, all: readonly Standing[]): CaptureRequest | TraceRequest => {
  const also = all.filter(
    (other) =>
      other.isFiring &&
      other !== chosen &&
      other.process.id === chosen.process.id &&
      isTrace(other) === isTrace(chosen),
  )
  const request = {
    process: chosen.process.id,
    fired: firedRule(chosen),
    alsoFired: also.map(({ rule }) => rule.name),
  }
  const actions = [chosen, ...also].map(({ rule }) => rule.action)
  if (isTrace(chosen)) return { kind: 'trace', ...request, frames: Math.max(...actions.map(framesOf)) }
  const capture = [...new Set(actions.flatMap(kindsOf))]
  const isRestart = actions.some((action) => action.kind === 'capture' && action.restartUnit)
  return { kind: 'capture', ...request, capture, ...(isRestart ? { restartUnit: true } : {}) }
}

const framesOf = (action: RuleAction): number => (action.kind === 'trace' ? action.frames : 0)

const kindsOf = (action: RuleAction): readonly CaptureKind[] =>
  action.kind === 'capture' ? action.capture : []

const firedRule = ({ rule, reading }: Standing): FiredRule => {
  if (reading?.kind !== 'value') return { rule: rule.name, kind: rule.when.kind }
  const { of, value, threshold, limit } = reading
  return { rule: rule.name, kind: of, value, threshold, ...(limit === undefined ? {} : { limit }) }
}

// Neither quotas nor a pause hold back what is asked for by hand; it counts as an attempt all the same.
const requestDemanded = (
  memory: Memory,
  { id, process: wanted, capture, rule }: Demand,
): CaptureRequest | undefined => {
  const [largest] = seenOf(memory)
    .filter(({ process }) => process !== undefined && isMeant(process, wanted))
    .toSorted((a, b) => (b.latest?.rssBytes ?? 0) - (a.latest?.rssBytes ?? 0))
  if (largest?.process === undefined) return undefined
  const fired = { rule, kind: 'manual' as const }
  return { kind: 'capture', process: largest.process.id, fired, alsoFired: [], capture, demand: id }
}

const isMeant = ({ id, cgroup, unit }: WatchedProcess, wanted: Demand['process']): boolean => {
  switch (wanted.kind) {
    case 'pid':
      return id.pid === wanted.pid
    case 'unit':
      return unit === wanted.unit
    case 'pod':
      return isOfPod(cgroup, wanted.uid)
    case 'cgroup':
      return isBelow(cgroup, wanted.cgroup)
    default:
      return wanted satisfies never
  }
}

/** The kubelet names a pod's cgroup `pod<uid>`, or, where systemd makes it, `kubepods-burstable-pod<uid>.slice`. */
const isOfPod = (cgroup: string, uid: string): boolean => {
  const slice = `-pod${uid.replaceAll('-', '_')}.slice`
  return cgroup.split('/').some((part) => part === `pod${uid}` || part.endsWith(slice))
}

const isBelow = (cgroup: string, ancestor: string): boolean =>
  cgroup === ancestor || cgroup.startsWith(ancestor.endsWith('/') ? ancestor : `${ancestor}/`)

const requestBaseline = (memory: Memory, config: DecideConfig, nowMs: number): CaptureRequest | undefined => {
  const { baselineAfterMs } = config
  if (baselineAfterMs === undefined || pauseLeftMs(memory, nowMs) > 0) return undefined
  const isOwed = (known: ProcessMemory): boolean =>
    !known.isBaselineSettled &&
    nowMs - known.firstSeenMs >= baselineAfterMs &&
    quarantineLeftMs(known, config, nowMs) === 0
  const [oldest] = seenOf(memory)
    .filter(isOwed)
    .toSorted((a, b) => a.firstSeenMs - b.firstSeenMs)
  if (oldest?.process === undefined) return undefined
  return {
    kind: 'capture',
    process: oldest.process.id,
    fired: { rule: 'baseline', kind: 'baseline' },
    alsoFired: [],
    capture: ['census'],
  }
}

type Judged = { readonly standing: Standing; readonly reason: Wait['reason'] | undefined }

const toWaits = (judged: readonly Judged[]): readonly Wait[] => {
  const waits = judged
    .filter(({ standing }) => standing.rule.when.kind !== 'schedule' || standing.isFiring)
    .map(({ standing, reason }) => ({
      process: standing.process.id,
      rule: standing.rule.name,
      reason: reason ?? ('less-urgent' as const),
    }))
  return [...waits.filter((wait) => !isPlain(wait)), ...waits.filter(isPlain)].slice(0, MAX_WAITS)
}

// Who was captured and is still over the threshold, or has to rest, is not next.
const isNearThreshold = ({ standing, reason }: Judged): boolean =>
  needOf(standing) >= NEAR &&
  (reason === undefined || reason === 'not-long-enough' || reason === 'below-threshold')

const isPlain = ({ reason }: Wait): boolean => reason === 'below-threshold'
