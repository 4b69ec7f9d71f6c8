import { checkRule } from './config/check-rule.ts'
import { toRule } from './config/config.ts'
import { ruleSchema } from './config/schema.ts'
import { formatDuration } from './config/units.ts'
import {
  ANNOTATION_PREFIX,
  type Condition,
  type Container,
  POD_RULES,
  type PodRuleKind,
  type PodWishes,
  type Rule,
} from './model.ts'

export type PodWishesOptions = {
  /** Whether pods are watched only where they ask for it. */
  readonly isOptIn: boolean
  /** No window can be longer. */
  readonly historyMs: number
}

/** What annotations of a pod ask for. Values are written as in the config, and understood by its own means. */
export const podWishes = (
  { podUid, pod, annotations = {} }: Container,
  { isOptIn, historyMs }: PodWishesOptions,
): PodWishes => {
  const problems: { key: string; detail: string }[] = []
  const own: Rule[] = []
  const instead: Condition['kind'][] = []
  for (const [key, value] of Object.entries(annotations)) {
    const word = key.slice(ANNOTATION_PREFIX.length)
    const problem = isKind(word) ? readRule(word, value, historyMs) : checkOther(word, value)
    if (typeof problem === 'string') problems.push({ key, detail: problem })
    else if (problem !== undefined && isKind(word)) {
      own.push(problem)
      instead.push(...REPLACED[word])
    }
  }
  const watch = annotations[WATCH]
  const isInPod = podUid !== undefined || pod !== undefined
  return {
    isWatched: isOptIn && isInPod ? watch === 'true' : watch !== 'false',
    isOptedOut: watch === 'false',
    problems,
    ...(own.length > 0 && { rules: { own, instead } }),
  }
}

const WATCH = `${ANNOTATION_PREFIX}watch`
const WINDOW_MS = 30 * 60_000

const isKind = (word: string): word is PodRuleKind => Object.hasOwn(POD_RULES, word)

/** Steps and a ratchet are written under `rss` too. */
const REPLACED: Readonly<Record<PodRuleKind, readonly Condition['kind'][]>> = {
  rss: ['rss', 'steps', 'ratchet'],
  limit: ['limit'],
  growth: ['growth'],
}

/** What is wrong with an annotation that makes no rule. */
const checkOther = (word: string, value: string): string | undefined => {
  if (word !== 'watch') return `is not known: there are watch, ${Object.keys(POD_RULES).join(', ')}`
  return value === 'true' || value === 'false'
    ? undefined
    : `${JSON.stringify(value)} is neither 'true' nor 'false'`
}

/** A rule as the config would have it, or what is wrong with its threshold. */
const readRule = (kind: PodRuleKind, above: string, historyMs: number): Rule | string => {
  const window = kind === 'growth' ? { window: formatDuration(Math.min(WINDOW_MS, historyMs)) } : {}
  const parsed = ruleSchema.safeParse({ name: 'pod', when: { [kind]: { above: above.trim(), ...window } } })
  if (!parsed.success) return parsed.error.issues[0]?.message ?? 'is malformed'
  const [issue] = checkRule(parsed.data, [], undefined, () => undefined)
  return issue?.message ?? { ...toRule(parsed.data), name: POD_RULES[kind] }
}
