import type { DecideConfig, Rule, Trigger, WatchedProcess } from '../model.ts'
import type { Memory, ProcessMemory, RuleState } from './memory.ts'
import { isContinuous, isFiring, nextState } from './rule-state.ts'
import { readCondition, type Reading } from './rules.ts'

/** How a rule stands with a process this turn. */
export type Standing = {
  readonly process: WatchedProcess
  readonly known: ProcessMemory
  readonly rule: Rule
  readonly state: RuleState | undefined
  /** Undefined for schedules, which measure nothing. */
  readonly reading: Reading | undefined
  readonly isFiring: boolean
  readonly need: number
  readonly rssBytes: number
}

/** Moves each rule on with each process that was seen this turn, and marks what a schedule makes due. */
export const advance = (memory: Memory, trigger: Trigger, config: DecideConfig, nowMs: number): Memory => {
  const processes = new Map(memory.processes)
  for (const [key, known] of memory.processes) {
    const rules = new Map<string, RuleState>()
    for (const rule of config.rules) {
      if (known.process !== undefined && !applies(rule, known.process)) continue
      const state = nextRuleState({ memory, known, rule, trigger, config, nowMs })
      if (state !== undefined) rules.set(rule.name, state)
    }
    processes.set(key, { ...known, rules })
  }
  return { ...memory, processes }
}

/** The standings of all rules with all processes that were seen this turn. */
export const standingsOf = (memory: Memory, rules: readonly Rule[], nowMs: number): readonly Standing[] =>
  [...memory.processes.values()].flatMap((known) => {
    const { process, latest } = known
    if (process === undefined || latest?.atMs !== memory.lastObservationMs) return []
    return rules
      .filter((rule) => applies(rule, process))
      .map((rule) => {
        const state = known.rules.get(rule.name)
        const reading = rule.when.kind === 'schedule' ? undefined : readCondition(rule.when, known, nowMs)
        return {
          process,
          known,
          rule,
          state,
          reading,
          isFiring: isFiring(state, rule, known, nowMs),
          need: reading?.kind === 'value' ? reading.need : 0,
          rssBytes: latest.rssBytes,
        }
      })
  })

const DEFAULT_INTERVAL_MS = 1000

type Step = {
  readonly memory: Memory
  readonly known: ProcessMemory
  readonly rule: Rule
  readonly trigger: Trigger
  readonly config: DecideConfig
  readonly nowMs: number
}

const nextRuleState = ({ memory, known, rule, trigger, config, nowMs }: Step): RuleState | undefined => {
  const state = known.rules.get(rule.name)
  if (rule.when.kind === 'schedule') {
    if (trigger.kind === 'schedule' && trigger.rule === rule.name) return { kind: 'due', sinceMs: nowMs }
    return state?.kind === 'due' ? state : undefined
  }
  // A sample that is missing says nothing: everything stays as it is.
  if (known.latest?.atMs !== memory.lastObservationMs) return state
  const gapMs = Math.max(3 * (config.intervalMs ?? DEFAULT_INTERVAL_MS), rule.forMs)
  return nextState(state, readCondition(rule.when, known, nowMs), isContinuous(memory, known, gapMs), nowMs)
}

const applies = ({ targets }: Rule, { target }: WatchedProcess): boolean =>
  targets.includes('*') || targets.includes(target)
