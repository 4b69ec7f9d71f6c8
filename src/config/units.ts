import { described, quoted } from './words.ts'

/** A quantity with its unit taken away, or what to write instead. */
export type Parsed =
  { readonly kind: 'parsed'; readonly value: number } | { readonly kind: 'invalid'; readonly message: string }

type Unit = readonly [name: string, factor: number]

const SIZE_UNITS: readonly Unit[] = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['TB', 1000 ** 4],
  ['GB', 1000 ** 3],
  ['MB', 1000 ** 2],
  ['KB', 1000],
  ['B', 1],
]

const DURATION_UNITS: readonly Unit[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]

// Three decimals at most, so that the smallest amount of a unit is still a whole byte or millisecond.
const AMOUNT = String.raw`\d{1,15}(?:\.\d{1,3})?`
const SIZE = String.raw`(?:${AMOUNT}[KMGT]i?B|\d{1,15}B)`

/** How sizes look: `512MiB`, `1.5GiB`, `10GB`. */
export const SIZE_PATTERN: RegExp = new RegExp(`^${SIZE}$`)

/** How durations look: `10s`, `1h30m`, `0s`. */
export const DURATION_PATTERN: RegExp = new RegExp(String.raw`^(?:\d{1,15}ms|${AMOUNT}[smhd]){1,5}$`)

/** How shares look: `75%`. */
export const PERCENT_PATTERN: RegExp = /^\d{1,3}(?:\.\d{1,3})?%$/

/** How rates look: `1MiB/m`. */
export const RATE_PATTERN: RegExp = new RegExp(`^${SIZE}/[smhd]$`)

/** `1.5GiB` as bytes. */
export const parseSize = (input: unknown): Parsed => {
  if (isBareNumber(input)) return refused(`${input} has no unit: write ${input}MiB, 1.5GiB ...`)
  if (!isText(input, SIZE_PATTERN)) return refused(`${found(input)} is no size: ${sizeAdvice(input)}`)
  return checked(input, Math.round(total(input, SIZE_UNITS)))
}

/** `1h30m` as milliseconds. */
export const parseDuration = (input: unknown): Parsed => {
  if (isBareNumber(input)) return refused(`${input} has no unit: write ${input}s, ${input}m ...`)
  if (!isText(input, DURATION_PATTERN)) {
    return refused(`${found(input)} is no duration: write 500ms, 30s, 10m, 1h30m, 14d ...`)
  }
  return checked(input, Math.round(total(input, DURATION_UNITS)))
}

/** `75%` as 0.75. */
export const parsePercent = (input: unknown): Parsed => {
  if (isBareNumber(input)) return refused(`${input} has no unit: write ${asPercent(Number(input))}`)
  if (!isText(input, PERCENT_PATTERN)) return refused(`${found(input)} is no share: write 75%, 12.5% ...`)
  return { kind: 'parsed', value: Number(input.slice(0, -1)) / 100 }
}

/** `1MiB/m` as bytes per millisecond. */
export const parseRate = (input: unknown): Parsed => {
  if (isBareNumber(input)) return refused(`${input} has no unit: write ${input}MiB/m, 10KiB/s ...`)
  if (!isText(input, RATE_PATTERN)) {
    return refused(`${found(input)} is no rate: write 1MiB/m, 10KiB/s ... (per s, m, h or d)`)
  }
  const [size = '', per = ''] = input.split('/')
  const bytes = parseSize(size)
  return bytes.kind === 'invalid' ? bytes : { kind: 'parsed', value: bytes.value / factorOf(per) }
}

/** Whole bytes in the unit that makes the shortest exact text; parseSize gives the same number back. */
export const formatSize = (bytes: number): string =>
  shortest(
    SIZE_UNITS.flatMap(([name, factor]) => exactly(bytes, factor).map((amount) => amount + name)),
    `${Math.round(bytes)}B`,
  )

/** Whole milliseconds as days, hours, minutes, seconds; parseDuration gives the same number back. */
export const formatDuration = (ms: number): string => {
  let restMs = ms
  let text = ''
  for (const [name, factor] of DURATION_UNITS) {
    const count = Math.floor(restMs / factor)
    if (count > 0) text += `${count}${name}`
    restMs -= count * factor
  }
  return text === '' ? '0s' : text
}

/** 0.75 as `75%`, to a thousandth of a percent; parsePercent gives the same number back. */
export const formatPercent = (share: number): string => `${Number((share * 100).toFixed(3))}%`

/** Bytes per millisecond in the unit that makes the shortest exact text, else to the nearest byte a day. */
export const formatRate = (bytesPerMs: number): string => {
  const [first, ...others] = ['d', 'h', 's', 'm'].flatMap((per) => {
    const bytes = Math.round(bytesPerMs * factorOf(per))
    return bytes / factorOf(per) === bytesPerMs ? [`${formatSize(bytes)}/${per}`] : []
  })
  return first === undefined ? `${formatSize(bytesPerMs * factorOf('d'))}/d` : shortest(others, first)
}

const refused = (message: string): Parsed => ({ kind: 'invalid', message })

const isBareNumber = (input: unknown): input is number | string =>
  typeof input === 'number' || (typeof input === 'string' && /^\d{1,15}(?:\.\d{1,15})?$/.test(input))

const isText = (input: unknown, pattern: RegExp): input is string =>
  typeof input === 'string' && pattern.test(input)

const found = (input: unknown): string => (typeof input === 'string' ? quoted(input) : described(input))

const sizeAdvice = (input: unknown): string => {
  const [, amount, prefix] = /^(\d{1,15}(?:\.\d{1,3})?) ?([kmgt])i?b?$/i.exec(String(input)) ?? []
  if (amount === undefined || prefix === undefined) return 'write 512MiB, 1.5GiB ...'
  const unit = prefix.toUpperCase()
  return `write ${amount}${unit}iB (1024-based) or ${amount}${unit}B (1000-based)`
}

const asPercent = (value: number): string => (value <= 1 ? formatPercent(value) : `${value}%`)

const total = (text: string, units: readonly Unit[]): number =>
  [...text.matchAll(/([\d.]+)([a-z]+)/gi)].reduce(
    (sum, [, amount, name]) => sum + Number(amount) * (units.find((unit) => unit[0] === name)?.[1] ?? 0),
    0,
  )

const checked = (text: string, value: number): Parsed =>
  Number.isSafeInteger(value) ? { kind: 'parsed', value } : refused(`${quoted(text)} is too large`)

const factorOf = (per: string): number => DURATION_UNITS.find(([name]) => name === per)?.[1] ?? 1

// One amount where the unit can say it exactly, else none.
const exactly = (bytes: number, factor: number): readonly string[] => {
  const amount = `${Number((bytes / factor).toFixed(3))}`
  return /^\d{1,15}(?:\.\d{1,3})?$/.test(amount) && Math.round(Number(amount) * factor) === bytes
    ? [amount]
    : []
}

const shortest = (texts: readonly string[], otherwise: string): string =>
  texts.reduce((best, text) => (text.length <= best.length ? text : best), otherwise)
