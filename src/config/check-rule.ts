import type { z } from 'zod'
import type { Condition } from '../model.ts'
import { toRule } from './config.ts'
import type { Issue } from './explain-issue.ts'
import type { ruleSchema, samplingSchema } from './schema.ts'
import type { Path } from './tree.ts'
import { formatDuration } from './units.ts'
import { quoted } from './words.ts'

/** What is wrong with a cron expression, or undefined when nothing is. */
export type CheckCron = (expression: string) => string | undefined

type FileRule = z.output<typeof ruleSchema>
type Sampling = z.output<typeof samplingSchema>

const LEAST_SAMPLES = 3

/**
 * Why a rule could never fire, or never again, and which keys do not fit its action. Without a sampling section that
 * holds, windows are not looked at.
 */
export const checkRule = (
  rule: FileRule,
  path: Path,
  sampling: Sampling | undefined,
  checkCron: CheckCron,
): readonly Issue[] => [...checkCondition(rule, path, sampling, checkCron), ...checkAction(rule, path)]

const checkAction = ({ action, capture, frames, ...rule }: FileRule, path: Path): readonly Issue[] => [
  ...(action === 'trace' && rule.restart_unit
    ? [
        misplaced(
          [...path, 'restart_unit'],
          'means nothing with action: trace, which takes no dump; remove it',
        ),
      ]
    : []),
  ...(action === 'trace' && capture !== undefined
    ? [misplaced([...path, 'capture'], 'means nothing with action: trace, which takes no dump; remove it')]
    : []),
  ...(action === 'capture' && frames !== undefined
    ? [misplaced([...path, 'frames'], 'means nothing without action: trace; add that, or remove it')]
    : []),
]

const misplaced = (path: Path, message: string): Issue => ({
  at: 'value',
  path,
  message: `${String(path.at(-1))}: ${message}`,
})

const checkCondition = (
  rule: FileRule,
  path: Path,
  sampling: Sampling | undefined,
  checkCron: CheckCron,
): readonly Issue[] => {
  const { when, forMs } = toRule(rule)
  const [key = ''] = Object.keys(rule.when)
  const at = (last: string, message: string): Issue => ({
    at: 'value',
    path: [...path, 'when', key, last],
    message: `${last}: ${message}`,
  })
  switch (when.kind) {
    case 'rss':
      return clearMistake(when.clearBelowBytes > when.aboveBytes, at)
    case 'limit':
      return [
        ...(when.aboveShare < 1
          ? []
          : [at('above', 'can never fire: at 100% the process is already killed')]),
        ...clearMistake(when.clearBelowShare > when.aboveShare, at),
      ]
    case 'growth':
      return [
        ...clearMistake(when.clearBelowBytesPerMs > when.aboveBytesPerMs, at),
        ...checkWindow(when.windowMs, sampling, at),
        ...checkFor(forMs, path, sampling),
      ]
    case 'time-to-limit':
      return [
        ...(when.clearAboveMs >= when.belowMs ? [] : [at('clear_above', 'must not be less than below')]),
        ...checkWindow(when.windowMs, sampling, at),
        ...checkFor(forMs, path, sampling),
      ]
    case 'schedule':
      return [...checkSchedule(when, checkCron, at), ...checkScheduleFor(rule, path)]
    default:
      return when satisfies never
  }
}

type IssueAt = (last: string, message: string) => Issue

const clearMistake = (isAboveThreshold: boolean, at: IssueAt): readonly Issue[] =>
  isAboveThreshold ? [at('clear_below', 'must not be more than above')] : []

const checkWindow = (windowMs: number, sampling: Sampling | undefined, at: IssueAt): readonly Issue[] => {
  if (sampling === undefined) return []
  const least = sampling.interval * LEAST_SAMPLES
  if (windowMs < least) {
    const needed = `${formatDuration(least)}, ${LEAST_SAMPLES} times sampling.interval`
    return [at('window', `can never fire: a window must be at least ${needed}`)]
  }
  if (windowMs <= sampling.history) return []
  return [at('window', `can never fire: sampling.history keeps only ${formatDuration(sampling.history)}`)]
}

const checkFor = (forMs: number, path: Path, sampling: Sampling | undefined): readonly Issue[] => {
  if (sampling === undefined || forMs <= sampling.history) return []
  const message = `for: can never fire: sampling.history keeps only ${formatDuration(sampling.history)}`
  return [{ at: 'value', path: [...path, 'for'], message }]
}

const checkSchedule = (
  when: Extract<Condition, { kind: 'schedule' }>,
  checkCron: CheckCron,
  at: IssueAt,
): readonly Issue[] => {
  const mistake = checkCron(when.cron)
  return [
    ...(mistake === undefined ? [] : [at('cron', `${quoted(when.cron)} is no cron expression: ${mistake}`)]),
    ...(isTimezone(when.timezone)
      ? []
      : [at('timezone', `no time zone ${quoted(when.timezone ?? '')} is known`)]),
  ]
}

const isTimezone = (timezone: string | undefined): boolean => {
  try {
    Intl.DateTimeFormat('en', { timeZone: timezone })
    return true
  } catch {
    return false
  }
}

const checkScheduleFor = (rule: FileRule, path: Path): readonly Issue[] =>
  rule.for === undefined
    ? []
    : [{ at: 'value', path: [...path, 'for'], message: 'for: means nothing for a schedule; remove it' }]
