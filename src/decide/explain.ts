import { processKey, type DecideConfig, type ProcessId, type Rule, type WaitReason } from '../model.ts'
import { advance } from './advance.ts'
import { whyNot } from './budget.ts'
import type { Memory, RuleState } from './memory.ts'
import type { Reading } from './rules.ts'

/** What a rule makes of a process now. */
export type Explained = {
  readonly rule: Rule
  /** Undefined for schedules, which measure nothing. */
  readonly reading: Reading | undefined
  readonly state: RuleState | undefined
  /** What holds it back; undefined: it would fire now. */
  readonly reason: WaitReason | undefined
}

/** What every rule that is meant for a process makes of it, and what holds it back. */
export const explain = (
  memory: Memory,
  id: ProcessId,
  config: DecideConfig,
  nowMs: number,
): readonly Explained[] => {
  const { memory: after, standings } = advance(memory, { kind: 'interval' }, config, nowMs)
  return standings
    .filter(({ process }) => processKey(process.id) === processKey(id))
    .map((standing) => ({
      rule: standing.rule,
      reading: standing.reading,
      state: standing.state,
      reason: whyNot(after, standing, config, nowMs),
    }))
}
