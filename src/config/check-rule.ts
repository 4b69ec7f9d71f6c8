import type { z } from 'zod'
import type { Condition, LevelCondition } from '../model.ts'
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
  const { when } = toRule(rule)
  const [key = ''] = Object.keys(rule.when)
  const at: IssueAt = (last, message) => ({
    at: 'value',
    path: [...path, 'when', key, last],
    message: `${last}: ${message}`,
  })
  if (when.kind === 'schedule')
    return [...checkSchedule(when, checkCron, at), ...checkScheduleFor(rule, path)]
  if (!('conditions' in when))
    return checkLevel({ when: rule.when, rule, level: when, path: [...path, 'when'] }, sampling, path)
  const parts = rule.when[when.kind] ?? []
  return parts.flatMap((part, index) => {
    const level = when.conditions[index]
    const place = [...path, 'when', key, index]
    return level === undefined ? [] : checkLevel({ when: part, rule, level, path: place }, sampling, path)
  })
}

type FileLevel = Omit<FileRule['when'], 'all' | 'any' | 'schedule'>
type Level = {
  readonly when: FileLevel
  readonly rule: FileRule
  readonly level: LevelCondition
  /** Of the map that has the condition's key. */
  readonly path: Path
}

const checkLevel = (
  { when, rule, level, path }: Level,
  sampling: Sampling | undefined,
  rulePath: Path,
): readonly Issue[] => {
  const [key = ''] = Object.keys(when)
  const at: IssueAt = (last, message) => ({
    at: 'value',
    path: [...path, key, last],
    message: `${last}: ${message}`,
  })
  return [
    ...(when.rss === undefined ? [] : checkRss(when.rss, [...path, key])),
    ...checkThresholds(level, at),
    ...('windowMs' in level && level.kind !== 'memory-events'
      ? [...checkWindow(level.windowMs, sampling, at), ...checkFor(toRule(rule).forMs, rulePath, sampling)]
      : []),
  ]
}

/** Which keys of `rss` go together. */
const checkRss = (
  { above, clear_below, ratchet, steps }: NonNullable<FileLevel['rss']>,
  path: Path,
): readonly Issue[] => {
  const wrong = (message: string): readonly Issue[] => [{ at: 'value', path, message }]
  if ((above === undefined) === (steps === undefined)) return wrong('rss: needs exactly one of above, steps')
  if (steps !== undefined && (clear_below !== undefined || ratchet !== undefined))
    return wrong('rss: with steps neither clear_below nor ratchet means anything')
  if (ratchet !== undefined && clear_below !== undefined)
    return wrong('rss: with ratchet clear_below means nothing: it fires again above the last capture')
  return []
}

const checkThresholds = (level: LevelCondition, at: IssueAt): readonly Issue[] => {
  if ('clearBelowBytes' in level) return clearMistake(level.clearBelowBytes > level.aboveBytes, at)
  if ('clearBelowBytesPerMs' in level)
    return clearMistake(level.clearBelowBytesPerMs > level.aboveBytesPerMs, at)
  if ('clearAboveMs' in level)
    return level.clearAboveMs >= level.belowMs ? [] : [at('clear_above', 'must not be less than below')]
  if (!('clearBelowShare' in level)) return []
  const tooMuch =
    level.kind === 'limit'
      ? 'can never fire: at 100% the process is already killed'
      : 'can never fire: more than 100% there is not'
  return [
    ...(level.aboveShare < 1 ? [] : [at('above', tooMuch)]),
    ...clearMistake(level.clearBelowShare > level.aboveShare, at),
  ]
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
