import type { DecideConfig, Quota, WaitReason } from '../model.ts'
import type { Standing } from './advance.ts'
import { type Memory, pauseLeftMs } from './memory.ts'
import { quarantineLeftMs } from './quarantine.ts'
import { isUrgent } from './urgency.ts'

/** Why a rule must not capture now; undefined when it may. */
export const whyNot = (
  memory: Memory,
  standing: Standing,
  config: DecideConfig,
  nowMs: number,
): WaitReason | undefined => {
  const { known, rule, state, reading } = standing
  if (state?.kind === 'latched') return 'latched'
  if (!standing.isFiring) {
    if (reading?.kind === 'none') return reading.reason
    return state?.kind === 'pending' ? 'not-long-enough' : 'below-threshold'
  }
  if (pauseLeftMs(memory, nowMs) > 0) return 'paused'
  if (quarantineLeftMs(known, config, nowMs) > 0) return 'quarantined'
  const isCooling = known.attempts.some(
    ({ endedMs, rules }) => rules.includes(rule.name) && nowMs - endedMs < rule.cooldownMs,
  )
  if (isCooling) return 'cooling-down'
  return rule.action.kind === 'trace' ? undefined : whyNoCapture(memory, standing, config, nowMs)
}

/** Quotas, and the pause between two captures. */
const whyNoCapture = (
  memory: Memory,
  { known, process, rule }: Standing,
  config: DecideConfig,
  nowMs: number,
): WaitReason | undefined => {
  const own = known.attempts.filter(({ isTrace }) => isTrace !== true).map(({ endedMs }) => endedMs)
  if (isSpent(own, config.perProcess, nowMs)) return 'process-quota'
  const shared = memory.targetAttempts.get(process.target) ?? []
  if (isSpent(shared, config.perTarget, nowMs)) return 'target-quota'
  if (config.perHost && isSpent([...memory.targetAttempts.values()].flat(), config.perHost, nowMs))
    return 'host-quota'
  const { spacingMs = 0 } = config
  // A process rests by its own cooldown; who is about to hit a limit cannot wait for the others.
  const isSpaced = isUrgent(rule) || shared.every((atMs) => nowMs - atMs >= spacingMs || own.includes(atMs))
  return isSpaced ? undefined : 'spacing'
}

const isSpent = (attemptsMs: readonly number[], { max, windowMs }: Quota, nowMs: number): boolean =>
  attemptsMs.filter((atMs) => nowMs - atMs < windowMs).length >= max
