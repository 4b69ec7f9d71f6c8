/** What the name of a dump's directory says; the manifest inside is the authority. */
export type DumpName = {
  /** When the verdict fell, ISO 8601, in whole seconds. */
  readonly at: string
  readonly pid: number
  /** The rule, followed by `-2`, `-3` … where a second held several captures. */
  readonly rule: string
}

/** What a directory's name ends in as long as the dump in it is not complete. */
export const partialSuffix = '.partial'

const pattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([1-9]\d{0,9})-([A-Za-z0-9][A-Za-z0-9._-]{0,79})$/

/**
 * The directory name of a dump: `20261121T232200Z-4242-rss-high`; `attempt` counts from 1 when names of the same
 * second collide.
 */
export function formatDumpName(name: DumpName, attempt = 1): string {
  const again = attempt > 1 ? `-${attempt}` : ''
  return `${formatStamp(new Date(name.at))}-${name.pid}-${formatPathPart(name.rule)}${again}`
}

const formatStamp = (date: Date): string =>
  date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '')

/** What a directory name says, or undefined when it is not one of ours. */
export function parseDumpName(text: string): DumpName | undefined {
  const [, year, month, day, hour, minute, second, pid, rule] = pattern.exec(text) ?? []
  if (pid === undefined || rule === undefined || rule.endsWith(partialSuffix)) return undefined
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(date.getTime())) return undefined
  // The 31st of February is a date to JavaScript, the third of March, but no name that we have written.
  if (!text.startsWith(formatStamp(date))) return undefined
  return { at: date.toISOString(), pid: Number(pid), rule }
}

/** What the name of an unfinished dump says, or undefined when it is not one of ours. */
export const parsePartialName = (text: string): DumpName | undefined =>
  text.endsWith(partialSuffix) ? parseDumpName(text.slice(0, -partialSuffix.length)) : undefined

/** A target or a rule as one part of a path: no separator, no leading dot, no end that looks unfinished, at most 64 long. */
export function formatPathPart(text: string): string {
  const safe = text
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 64)
    .replace(/^[._-]+/, '')
    .replace(/\.partial$/, '_partial')
  return safe === '' ? 'unnamed' : safe
}
