import {
  isPodRule,
  processKey,
  type CaptureFailure,
  type CaptureRequest,
  type Observation,
  type ProcessId,
  type Rule,
  type Sample,
  type TraceRequest,
  type WatchedProcess,
} from '../model.ts'
import { addCaptureCost, type CaptureCosts } from './capture-cost.ts'
import { addEvents, type EventCount } from './events.ts'
import type { Growth } from './growths.ts'
import { countFailure, type Failures } from './quarantine.ts'
import { addPoint, type Point } from './points.ts'

/** What is kept between turns. A value: every change makes a new one. */
export type Memory = {
  readonly processes: ReadonlyMap<string, ProcessMemory>
  /** When captures of the processes of each target ended. */
  readonly targetAttempts: ReadonlyMap<string, readonly number[]>
  /** Nothing is sampled during a capture, so a gap that ends here is no gap. */
  readonly lastCaptureEndMs: number
  /** Keys of whom the last observation had a sample of: nobody else is judged. */
  readonly seen: readonly string[]
  /** What captures of processes of each target take. */
  readonly captureCosts?: CaptureCosts | undefined
  /** No rule captures until then; undefined when nobody has asked for that. */
  readonly pausedUntilMs?: number | undefined
}

export type ProcessMemory = {
  /** Undefined after a restart until the process is seen again. */
  readonly process: WatchedProcess | undefined
  readonly firstSeenMs: number
  readonly lastSeenMs: number
  readonly points: readonly Point[]
  readonly latest: Sample | undefined
  /** Over the windows that rules measure it on, as last worked out. */
  readonly growths?: ReadonlyMap<number, Growth> | undefined
  /** What has happened to its cgroup, where a rule asks for that. */
  readonly eventLog?: readonly EventCount[] | undefined
  /** How large it was when each rule captured it last. */
  readonly peaks?: ReadonlyMap<string, number> | undefined
  readonly rules: ReadonlyMap<string, RuleState>
  readonly attempts: readonly Attempt[]
  readonly isBaselineSettled: boolean
  /** Captures that failed in a row; undefined when the last one was good. */
  readonly failures: Failures | undefined
  /** Whether its quarantine has been told. */
  readonly isQuarantined: boolean
}

/** Where a rule stands with a process; no state is `armed`. */
export type RuleState =
  /** Over the threshold, without a gap. */
  | { readonly kind: 'pending'; readonly sinceMs: number }
  /** Its time has come, and a capture is owed. */
  | { readonly kind: 'due'; readonly sinceMs: number }
  /** Captured, and not yet back below the level that clears it. */
  | { readonly kind: 'latched'; readonly sinceMs: number }

/** A capture, good or bad, and the rules that it answered. */
export type Attempt = {
  readonly endedMs: number
  readonly rules: readonly string[]
  /** A trace rests like a capture, and is none: it uses up nobody's quota. */
  readonly isTrace?: boolean | undefined
}

/** How a trace ended, as far as the next decision goes. */
export type TraceResult = 'traced' | CaptureFailure

/** How a capture ended, as far as the next decision goes. */
export type CaptureResult = 'captured' | 'not-stored' | CaptureFailure

/** Nothing seen, nothing done. */
export const emptyMemory = (): Memory => ({
  processes: new Map(),
  targetAttempts: new Map(),
  lastCaptureEndMs: Number.NEGATIVE_INFINITY,
  seen: [],
})

/** Adds what was seen; who is gone is forgotten. */
export const remember = (memory: Memory, observation: Observation): Memory => {
  const { atMs } = observation
  const processes = new Map(memory.processes)
  for (const process of observation.appeared) {
    const key = processKey(process.id)
    processes.set(key, meet(processes.get(key), process, atMs))
  }
  const seen: string[] = []
  for (const sample of observation.samples) {
    const key = processKey(sample.process)
    const known = processes.get(key)
    if (known === undefined) continue
    processes.set(key, addSample(known, sample))
    seen.push(key)
  }
  for (const id of observation.gone) processes.delete(processKey(id))
  processes.forEach(({ lastSeenMs }, key) => {
    if (atMs - lastSeenMs > UNSEEN_LIFE_MS) processes.delete(key)
  })
  return { ...memory, processes, seen }
}

/** What is known of those whom the last observation had a sample of. */
export const seenOf = ({ processes, seen }: Memory): readonly ProcessMemory[] =>
  seen.flatMap((key) => processes.get(key) ?? [])

/**
 * Adds a capture that ended now. Good or bad it counts as an attempt and begins the cooldown; only a good one latches its
 * rules, so that a bad one is tried again.
 */
export const rememberCapture = (
  memory: Memory,
  request: CaptureRequest,
  nowMs: number,
  outcome: CaptureResult = 'captured',
): Memory => {
  const key = processKey(request.process)
  const known = memory.processes.get(key)
  if (known === undefined) return { ...memory, lastCaptureEndMs: nowMs }
  const answered = [request.fired.rule, ...request.alsoFired]
  const isBaseline = request.fired.kind === 'baseline'
  const isGood = outcome === 'captured'
  const after: ProcessMemory = {
    ...known,
    rules: answer(known.rules, answered, isGood, nowMs),
    peaks: isGood ? addPeaks(known, answered) : known.peaks,
    // A baseline is a courtesy: it uses up nobody's quota.
    attempts: isBaseline
      ? known.attempts
      : [...known.attempts, { endedMs: nowMs, rules: answered }].slice(-MAX_ATTEMPTS),
    isBaselineSettled: known.isBaselineSettled || isBaseline || isGood,
    failures: countFailure(known.failures, outcome, nowMs),
  }
  return {
    ...memory,
    processes: new Map(memory.processes).set(key, after),
    targetAttempts: isBaseline ? memory.targetAttempts : addTargetAttempt(memory, known, nowMs),
    captureCosts: isGood ? addCost(memory, known, nowMs) : memory.captureCosts,
    lastCaptureEndMs: nowMs,
  }
}

/**
 * Adds a trace that ended now. It begins the cooldown of its rules and latches them when it was good; it is no capture,
 * so captures are asked for as before. Failures count for the quarantine, which only a good capture ends early.
 */
export const rememberTrace = (
  memory: Memory,
  request: TraceRequest,
  nowMs: number,
  outcome: TraceResult,
): Memory => {
  const key = processKey(request.process)
  const known = memory.processes.get(key)
  if (known === undefined) return { ...memory, lastCaptureEndMs: nowMs }
  const rules = [request.fired.rule, ...request.alsoFired]
  const isGood = outcome === 'traced'
  const after: ProcessMemory = {
    ...known,
    rules: answer(known.rules, rules, isGood, nowMs),
    attempts: [...known.attempts, { endedMs: nowMs, rules, isTrace: true }].slice(-MAX_ATTEMPTS),
    failures: isGood ? known.failures : countFailure(known.failures, outcome, nowMs),
  }
  return { ...memory, processes: new Map(memory.processes).set(key, after), lastCaptureEndMs: nowMs }
}

/** Drops what is remembered of processes by their identity. */
export const forget = (memory: Memory, ids: readonly ProcessId[]): Memory => {
  const processes = new Map(memory.processes)
  for (const id of ids) processes.delete(processKey(id))
  return { ...memory, processes }
}

/** How long rules are still paused; 0 when they are not. */
export const pauseLeftMs = ({ pausedUntilMs = 0 }: Memory, nowMs: number): number =>
  Math.max(0, pausedUntilMs - nowMs)

/** What holds under new rules: those that say what they said keep their state, the others begin anew. */
export const carryOver = (memory: Memory, before: readonly Rule[], after: readonly Rule[]): Memory => {
  const old = new Map(before.map((rule) => [rule.name, JSON.stringify(rule)]))
  const unchanged = new Set(
    after.filter((rule) => old.get(rule.name) === JSON.stringify(rule)).map(({ name }) => name),
  )
  const processes = [...memory.processes].map(([key, known]) => {
    // Rules of its pod are not the config's to change.
    const isKept = (name: string): boolean => unchanged.has(name) || isPodRule(name)
    const rules = [...known.rules].filter(([name]) => isKept(name))
    const peaks = [...(known.peaks ?? [])].filter(([name]) => isKept(name))
    return [key, { ...known, rules: new Map(rules), peaks: new Map(peaks) }] as const
  })
  return { ...memory, processes: new Map(processes) }
}

/** More than any sensible quota allows. */
export const MAX_ATTEMPTS = 1000

// Who ends while the daemon is down is never told to be gone; who lives is seen within one discovery.
const UNSEEN_LIFE_MS = 10 * 60_000

const meet = (known: ProcessMemory | undefined, process: WatchedProcess, atMs: number): ProcessMemory => {
  const fresh = {
    process,
    firstSeenMs: atMs,
    lastSeenMs: atMs,
    points: [],
    latest: undefined,
    rules: new Map(),
    attempts: [],
    isBaselineSettled: false,
    failures: undefined,
    isQuarantined: false,
  }
  if (known === undefined) return fresh
  // After exec another program has the identity: what was measured is about the old one, what was spent still counts.
  const isExec = known.process !== undefined && known.process.exe !== process.exe
  if (isExec) return { ...fresh, attempts: known.attempts }
  return { ...known, process, lastSeenMs: atMs, rules: statesUnder(process, known) }
}

/** What rules are at, but for those of its pod that say another thing now. */
const statesUnder = (
  after: WatchedProcess,
  { process: before, rules }: ProcessMemory,
): ProcessMemory['rules'] => {
  if (before?.rules === undefined || before.rules === after.rules) return rules
  const text = (process: WatchedProcess, name: string): string =>
    JSON.stringify(process.rules?.own.find((rule) => rule.name === name))
  return new Map([...rules].filter(([name]) => !isPodRule(name) || text(before, name) === text(after, name)))
}

const addPeaks = ({ peaks, latest }: ProcessMemory, rules: readonly string[]): ProcessMemory['peaks'] => {
  const after = new Map(peaks)
  for (const rule of rules) after.set(rule, Math.max(after.get(rule) ?? 0, latest?.rssBytes ?? 0))
  return after
}

// From the sample that led to it: what a forecast has to allow for.
const addCost = (
  memory: Memory,
  { process, latest }: ProcessMemory,
  nowMs: number,
): Memory['captureCosts'] =>
  process === undefined || latest === undefined
    ? memory.captureCosts
    : addCaptureCost(
        memory.captureCosts ?? new Map(),
        process.target,
        latest.rssBytes,
        Math.max(0, nowMs - latest.atMs),
      )

const addSample = (known: ProcessMemory, sample: Sample): ProcessMemory => ({
  ...known,
  ...(sample.extras?.events !== undefined && {
    eventLog: addEvents(known.eventLog ?? [], sample.extras.events, sample.atMs),
  }),
  lastSeenMs: sample.atMs,
  latest: sample,
  points: addPoint(known.points, { atMs: sample.atMs, rssBytes: sample.rssBytes }),
})

const answer = (
  rules: ReadonlyMap<string, RuleState>,
  names: readonly string[],
  isGood: boolean,
  nowMs: number,
): ReadonlyMap<string, RuleState> => {
  const after = new Map(rules)
  for (const name of names) {
    const state = rules.get(name)
    // A schedule asks once, whatever becomes of it.
    if (state?.kind === 'due') after.delete(name)
    else if (state !== undefined && isGood) after.set(name, { kind: 'latched', sinceMs: nowMs })
  }
  return after
}

const addTargetAttempt = (
  { targetAttempts }: Memory,
  { process }: ProcessMemory,
  nowMs: number,
): Memory['targetAttempts'] => {
  if (process === undefined) return targetAttempts
  const before = targetAttempts.get(process.target) ?? []
  return new Map(targetAttempts).set(process.target, [...before, nowMs].slice(-MAX_ATTEMPTS))
}
