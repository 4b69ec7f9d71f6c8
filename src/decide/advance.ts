import { type DecideConfig, isPodRule, type Rule, type Trigger, type WatchedProcess } from '../model.ts'
import { expectedCaptureMs } from './capture-cost.ts'
import type { Memory, ProcessMemory, RuleState } from './memory.ts'
import { refreshGrowths } from './growths.ts'
import { heldByAnybody, heldRules } from './rules-for.ts'
import { isContinuous, isFiring, nextState } from './rule-state.ts'
import { type Known, readCondition, type Reading } from './rules.ts'

/** How a rule stands with a process this turn. */
export type Standing = {
  readonly process: WatchedProcess
  readonly known: ProcessMemory
  readonly rule: Rule
  readonly state: RuleState | undefined
  /** Undefined for schedules, which measure nothing. */
  readonly reading: Reading | undefined
  readonly isFiring: boolean
}

export type Advanced = {
  readonly memory: Memory
  /** Of every rule with every process that was seen this turn and that it is for. */
  readonly standings: readonly Standing[]
}

/**
 * Moves each rule on with each process that was seen this turn, and marks what a schedule makes due. What does not change
 * is kept as it is: of a thousand processes most are calm.
 */
export const advance = (memory: Memory, trigger: Trigger, config: DecideConfig, nowMs: number): Advanced => {
  let processes: Map<string, ProcessMemory> | undefined
  const standings: Standing[] = []
  const turn = { memory, trigger, config, nowMs }
  const seen = new Set(memory.seen)
  // Of those who were not seen nothing changes, but what a schedule asks of them.
  for (const key of trigger.kind === 'schedule' ? memory.processes.keys() : seen) {
    const before = memory.processes.get(key)
    if (before === undefined) continue
    const isSeen = seen.has(key)
    const held =
      before.process === undefined ? heldByAnybody(config.rules) : heldRules(before.process, config.rules)
    const growths = isSeen ? refreshGrowths(before, held.windowsMs, nowMs) : before.growths
    const known = growths === before.growths ? before : { ...before, growths }
    const own = standingsOf(known, held.rules, isSeen, turn)
    const rules = statesOf(own, known.rules)
    for (const standing of own) if (isSeen && isWatched(standing)) standings.push(standing)
    if (known === before && rules === before.rules) continue
    processes ??= new Map(memory.processes)
    processes.set(key, { ...known, rules })
  }
  return { memory: processes === undefined ? memory : { ...memory, processes }, standings }
}

/** What a rule may know of a process. */
export const knownBy = (
  { name }: Rule,
  known: ProcessMemory,
  { captureCosts }: Pick<Memory, 'captureCosts'>,
): Known => ({
  process: known,
  peakBytes: known.peaks?.get(name),
  captureMs: expectedCaptureMs(captureCosts, known.process?.target ?? '', known.latest?.rssBytes ?? 0),
})

type Turn = {
  readonly memory: Memory
  readonly trigger: Trigger
  readonly config: DecideConfig
  readonly nowMs: number
}
/** After a restart nobody knows yet whose a process is. */
type MaybeStanding = Omit<Standing, 'process'> & { readonly process: WatchedProcess | undefined }

const isWatched = (standing: MaybeStanding): standing is Standing => standing.process !== undefined

function standingsOf(
  known: ProcessMemory,
  rules: readonly Rule[],
  isSeen: boolean,
  turn: Turn,
): readonly MaybeStanding[] {
  const { process } = known
  return rules.map((rule) => {
    const { when } = rule
    const reading =
      isSeen && when.kind !== 'schedule'
        ? readCondition(when, knownBy(rule, known, turn.memory), turn.nowMs)
        : undefined
    const state = nextRuleState(rule, known, reading, turn)
    return { process, known, rule, state, reading, isFiring: isFiring(state, rule, known, turn.nowMs) }
  })
}

/** The states of rules, the map of before where it says the same. */
function statesOf(
  standings: readonly MaybeStanding[],
  before: ProcessMemory['rules'],
): ProcessMemory['rules'] {
  const states = standings.flatMap(({ rule: { name }, state }) =>
    state === undefined ? [] : [[name, state] as const],
  )
  // After a restart a pod's annotations may not be told yet: what its rules were at is kept for them.
  for (const [name, state] of before)
    if (isPodRule(name) && !standings.some(({ rule }) => rule.name === name)) states.push([name, state])
  const isSame = states.length === before.size && states.every(([name, state]) => before.get(name) === state)
  return isSame ? before : new Map(states)
}

export const DEFAULT_INTERVAL_MS = 1000

const nextRuleState = (
  rule: Rule,
  known: ProcessMemory,
  reading: Reading | undefined,
  { memory, trigger, config, nowMs }: Turn,
): RuleState | undefined => {
  const state = known.rules.get(rule.name)
  if (rule.when.kind === 'schedule') {
    if (trigger.kind === 'schedule' && trigger.rule === rule.name) return { kind: 'due', sinceMs: nowMs }
    return state?.kind === 'due' ? state : undefined
  }
  // A sample that is missing says nothing: everything stays as it is.
  if (reading === undefined) return state
  const gapMs = Math.max(3 * (config.intervalMs ?? DEFAULT_INTERVAL_MS), rule.forMs)
  return nextState(state, reading, isContinuous(memory, known, gapMs), nowMs)
}
