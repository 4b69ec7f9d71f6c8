import { z } from 'zod'
import {
  DURATION_PATTERN,
  formatDuration,
  formatPercent,
  formatRate,
  formatSize,
  parseDuration,
  parsePercent,
  parseRate,
  parseSize,
  PERCENT_PATTERN,
  RATE_PATTERN,
  SIZE_PATTERN,
} from './units.ts'
import type { Parsed } from './units.ts'
import { didYouMean, quoted } from './words.ts'

// Beyond this, dates in the past leave the calendar.
const LONGEST_MS = 3650 * 86_400_000

type Quantity = {
  readonly pattern: RegExp
  readonly parse: (input: unknown) => Parsed
  readonly format: (value: number) => string
}

const SIZE: Quantity = { pattern: SIZE_PATTERN, parse: parseSize, format: formatSize }
const DURATION: Quantity = { pattern: DURATION_PATTERN, parse: parseDuration, format: formatDuration }
const PERCENT: Quantity = { pattern: PERCENT_PATTERN, parse: parsePercent, format: formatPercent }
const RATE: Quantity = { pattern: RATE_PATTERN, parse: parseRate, format: formatRate }

const explained = (quantity: Quantity) => ({
  error: ({ input }: { readonly input?: unknown }) => {
    // That something is missing is said in the same words for every kind of value.
    if (input === undefined || input === null) return undefined
    const parsed = quantity.parse(input)
    return parsed.kind === 'invalid' ? parsed.message : 'must be more than zero'
  },
})

const amount = (quantity: Quantity, min = 0, max = Number.POSITIVE_INFINITY) =>
  z
    .string(explained(quantity))
    .regex(quantity.pattern, explained(quantity))
    .transform((text, context) => {
      const parsed = inRange(quantity, text, min, max)
      if (parsed.kind === 'parsed') return parsed.value
      context.addIssue({ code: 'custom', message: parsed.message })
      return z.NEVER
    })

const inRange = (quantity: Quantity, text: string, min: number, max: number): Parsed => {
  const parsed = quantity.parse(text)
  if (parsed.kind === 'invalid') return parsed
  if (parsed.value < min) return outside(`${quoted(text)} is too small: at least ${quantity.format(min)}`)
  if (parsed.value > max) return outside(`${quoted(text)} is too large: at most ${quantity.format(max)}`)
  return parsed
}

const outside = (message: string): Parsed => ({ kind: 'invalid', message })

const positive = (quantity: Quantity): Quantity => ({
  ...quantity,
  pattern: new RegExp(`^(?=.*[1-9])${quantity.pattern.source.slice(1)}`),
})

const EITHER: Quantity = {
  pattern: new RegExp(`${positive(SIZE).pattern.source}|${positive(PERCENT).pattern.source}`),
  parse: (input) => (isShare(input) ? PERCENT : SIZE).parse(input),
  format: SIZE.format,
}

/** A size above zero. */
export const size = () => amount(positive(SIZE))

/** A size. */
export const sizeOrZero = () => amount(SIZE)

/** A share above zero; above 100% is for the caller to judge. */
export const share = () => amount(positive(PERCENT))

/** A share up to 100%. */
export const shareOrZero = () => amount(PERCENT, 0, 1)

/** A size above zero, or a share of something else. */
export type SizeOrShare =
  { readonly kind: 'size'; readonly bytes: number } | { readonly kind: 'share'; readonly share: number }

/** A size above zero, or a share above zero of what the key says. */
export const sizeOrShare = () =>
  z
    .string(explained(EITHER))
    .regex(EITHER.pattern, explained(EITHER))
    .transform((text, context): SizeOrShare => {
      const parsed = EITHER.parse(text)
      if (parsed.kind === 'invalid') {
        context.addIssue({ code: 'custom', message: parsed.message })
        return z.NEVER
      }
      return isShare(text) ? { kind: 'share', share: parsed.value } : { kind: 'size', bytes: parsed.value }
    })

const isShare = (input: unknown): boolean => typeof input === 'string' && input.endsWith('%')

/** A rate above zero. */
export const rate = () => amount(positive(RATE))

/** A duration above zero. */
export const duration = (minMs = 1, maxMs = LONGEST_MS) => amount(positive(DURATION), minMs, maxMs)

/** A duration. */
export const durationOrZero = () => amount(DURATION, 0, LONGEST_MS)

/**
 * A map with no other keys than these. For unknown keys the message has one line each, in the order of the issue's
 * keys, because an error function can return but one text.
 */
export const section = <Shape extends z.ZodRawShape>(description: string, shape: Shape) =>
  z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map((key) => unknownKey(key, Object.keys(shape))).join('\n')
          : undefined,
    })
    .meta({ description })

const unknownKey = (key: string, known: readonly string[]): string => {
  const suggestion = didYouMean(key, known)
  return `unknown key ${quoted(key)}${suggestion === '' ? `; known here: ${known.join(', ')}` : suggestion}`
}

/**
 * A name of a target or a rule. Dumps are in directories named after both, and one that ends in `.partial` would not
 * count as complete.
 */
export const name = (reserved?: string) =>
  z
    .string()
    .regex(
      new RegExp(String.raw`^(?!(?:${reserved ?? ''})$)(?!.*\.partial$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`),
      {
        error: ({ input }) =>
          `${quoted(String(input))} cannot be a name: write 1 to 64 letters, digits, ".", "_" or "-", beginning with a ` +
          `letter or digit, not ending in ".partial"${reserved === undefined ? '' : `, and not ${reserved.replaceAll('|', ' or ')}`}`,
      },
    )

/** An address of the web. */
export const webAddress = (example: string) =>
  z
    .string()
    .max(1000)
    .regex(/^https?:\/\/[^\s/]+(?:\/\S*)?$/, {
      error: ({ input }) => `${quoted(String(input))} is no address: write ${example}`,
    })

/** An absolute path. */
export const path = () =>
  z
    .string()
    .regex(/^\/./, {
      error: ({ input }) => `${quoted(String(input))} is no absolute path: write /etc/pyheap-watchd/...`,
    })
    .max(1000)

/** What a process is compared with. */
export const pattern = () => z.string().min(1).max(1000)

/** A number of things, at least one. */
export const count = () => z.int().min(1).max(1_000_000)
