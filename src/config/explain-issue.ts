import type { z } from 'zod'
import type { Path } from './tree.ts'
import { described, didYouMean, quoted } from './words.ts'

/** A mistake before it has a place: what is wrong with the thing at a path, or with the key that the path ends in. */
export type Issue = { readonly at: 'value' | 'key'; readonly path: Path; readonly message: string }

/** The words for what zod finds wrong, where the schema has none of its own. */
export const inPlainWords = (issue: z.core.$ZodRawIssue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, issue.input)
    case 'invalid_value':
      return noneOf(issue.values.map(String), issue.input)
    case 'invalid_union':
      return `must be off or a map of keys, not ${described(issue.input)}`
    case 'too_small':
      return tooSmall(issue.origin, issue.minimum)
    case 'too_big':
      return tooBig(issue.origin, issue.maximum)
    // These have their own words in the schema, or do not occur in it.
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return undefined
    default:
      return issue satisfies never
  }
}

/** One zod issue as what an operator would call mistakes: every unknown key is one. */
export const explainIssue = (issue: z.core.$ZodIssue, parent: Path = []): readonly Issue[] => {
  const path = [...parent, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n')
    return issue.keys.map((key, index) => ({
      at: 'key',
      path: [...path, key],
      message: messages[index] ?? `unknown key ${quoted(key)}`,
    }))
  }
  if (issue.code === 'invalid_union') {
    // The alternative that got past the outermost value is the one that was meant.
    const meant = issue.errors.find((errors) => errors.every((error) => !isAboutKind(error)))
    if (meant !== undefined) return meant.flatMap((error) => explainIssue(error, path))
  }
  return [{ at: 'value', path, message: `${pathText(path)}${issue.message}` }]
}

const isAboutKind = ({ path, code }: z.core.$ZodIssue): boolean =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')

// The last key is enough, for the line is shown as well.
const pathText = (path: Path): string => {
  const [last, beforeLast] = path.toReversed()
  if (last === undefined) return ''
  return typeof last === 'number' ? `an entry of ${String(beforeLast)}: ` : `${String(last)}: `
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  boolean: 'true or false',
  object: 'a map of keys',
}

const wrongType = (expected: string, input: unknown): string => {
  if (input === undefined) return 'is missing'
  if (input === null) return 'is empty: give it a value or remove the key'
  const advice = expected === 'string' && typeof input !== 'object' ? ': put it in quotes' : ''
  return `must be ${WORDS[expected] ?? expected}, not ${described(input)}${advice}`
}

const noneOf = (allowed: readonly string[], input: unknown): string => {
  if (input === undefined || input === null) return wrongType('string', input)
  const suggestion = typeof input === 'string' ? didYouMean(input, allowed) : ''
  return `must be one of ${allowed.join(', ')}, not ${described(input)}${suggestion}`
}

const tooSmall = (origin: string, minimum: number | bigint): string =>
  origin === 'array' || origin === 'string' ? 'must not be empty' : `must be at least ${minimum}`

const tooBig = (origin: string, maximum: number | bigint): string => {
  if (origin === 'string') return `is longer than ${maximum} characters`
  return origin === 'array' ? `has more than ${maximum} entries` : `must be at most ${maximum}`
}
