import { type CaptureRequest, type DecideConfig, processKey } from '../model.ts'
import { decide } from './decide.ts'
import type { Memory } from './memory.ts'
import { isUrgent } from './urgency.ts'

/** Who cannot wait for the end of a capture, and by which rule. */
export type Preemption = { readonly pid: number; readonly rule: string; readonly memory: Memory }

/**
 * Whether another process is about to run out of memory while a capture runs that is about something else. What somebody
 * has asked for is never broken off, and nothing that is as urgent itself.
 */
export function preempt(
  memory: Memory,
  running: CaptureRequest,
  config: DecideConfig,
  nowMs: number,
): Preemption | { readonly memory: Memory } {
  const { verdict, memory: after } = decide(memory, { kind: 'interval' }, config, nowMs)
  const isUrgentRule = (name: string): boolean =>
    config.rules.some((rule) => rule.name === name && isUrgent(rule))
  const isHeld = running.demand !== undefined || [running.fired.rule, ...running.alsoFired].some(isUrgentRule)
  if (isHeld || verdict.kind !== 'capture' || !isUrgentRule(verdict.fired.rule)) return { memory: after }
  if (processKey(verdict.process) === processKey(running.process)) return { memory: after }
  return { pid: verdict.process.pid, rule: verdict.fired.rule, memory: after }
}
