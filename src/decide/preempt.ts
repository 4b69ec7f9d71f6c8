import { type CaptureRequest, type DecideConfig, processKey } from '../model.ts'
import { decide } from './decide.ts'
import type { Memory } from './memory.ts'
import { rulesFor } from './rules-for.ts'
import { isUrgent } from './urgency.ts'

/** Who cannot wait for the end of a capture, and by which rule. */
export type Preemption = { readonly pid: number; readonly rule: string; readonly memory: Memory }

/** Whether a capture may be broken off: what somebody has asked for never is, and nothing that is about limits itself. */
export const canGiveWay = (memory: Memory, running: CaptureRequest, config: DecideConfig): boolean =>
  running.demand === undefined && !isAboutLimits(running, memory, config)

/** Whether another process is about to run out of memory while a capture runs that can give way. */
export function preempt(
  memory: Memory,
  running: CaptureRequest,
  config: DecideConfig,
  nowMs: number,
): Preemption | { readonly memory: Memory } {
  const { verdict, memory: after } = decide(memory, { kind: 'interval' }, config, nowMs)
  if (verdict.kind !== 'capture' || !isAboutLimits(verdict, after, config)) return { memory: after }
  if (processKey(verdict.process) === processKey(running.process)) return { memory: after }
  return { pid: verdict.process.pid, rule: verdict.fired.rule, memory: after }
}

/** By the rules that hold for its process, which may have some of its own. */
function isAboutLimits(
  { process: id, fired, alsoFired }: CaptureRequest,
  { processes }: Memory,
  { rules }: DecideConfig,
): boolean {
  const process = processes.get(processKey(id))?.process
  const held = process === undefined ? rules : rulesFor(process, rules)
  return held.some((rule) => isUrgent(rule) && [fired.rule, ...alsoFired].includes(rule.name))
}
