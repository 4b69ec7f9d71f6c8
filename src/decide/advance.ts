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
}

export type Advanced = {
  readonly memory: Memory
  /** Of every rule with every process that was seen this turn and that it is for. */
  readonly standings: readonly Standing[]
}

/** Moves each rule on with each process that was seen this turn, and marks what a schedule makes due. */
export const advance = (memory: Memory, trigger: Trigger, config: DecideConfig, nowMs: number): Advanced => {
  const processes = new Map<string, ProcessMemory>()
  const standings: Standing[] = []
  for (const [key, known] of memory.processes) {
    const { process, latest } = known
    const isSeen = latest?.atMs === memory.lastObservationMs
    const rules = new Map<string, RuleState>()
    for (const rule of config.rules) {
      if (process !== undefined && !isFor(rule, process)) continue
      const reading =
        isSeen && rule.when.kind !== 'schedule' ? readCondition(rule.when, known, nowMs) : undefined
      const state = nextRuleState({ memory, known, rule, reading, trigger, config, nowMs })
      if (state !== undefined) rules.set(rule.name, state)
      if (process === undefined || !isSeen) continue
      standings.push({ process, known, rule, state, reading, isFiring: isFiring(state, rule, known, nowMs) })
    }
    processes.set(key, { ...known, rules })
  }
  return { memory: { ...memory, processes }, standings }
}

export const DEFAULT_INTERVAL_MS = 1000

type Step = {
  readonly memory: Memory
  readonly known: ProcessMemory
  readonly rule: Rule
  readonly reading: Reading | undefined
  readonly trigger: Trigger
  readonly config: DecideConfig
  readonly nowMs: number
}

const nextRuleState = (step: Step): RuleState | undefined => {
  const { memory, known, rule, reading, trigger, config, nowMs } = step
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

/** Whether a rule holds for a process. */
export const isFor = ({ targets }: Rule, { target }: WatchedProcess): boolean =>
  targets.includes('*') || targets.includes(target)
