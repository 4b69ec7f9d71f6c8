import type { Container } from '../model.ts'
import { containerName } from './container-text.ts'
import { formatBytes, formatDuration, formatShare } from './format.ts'
import { layOutTable, type Cell, type Column, type TextStyle } from './layout.ts'
import { visible } from './visible.ts'

/** A process as a table shows it. */
export type ListedProcess = {
  readonly pid: number
  /** In its own pid namespace. */
  readonly insidePid?: number | undefined
  readonly container?: Container | undefined
  readonly target: string
  readonly user: string
  readonly command: string
  readonly rssBytes: number
  /** Of the tightest limit, 0…1. */
  readonly limitShare?: number | undefined
  readonly growthBytesPerMs?: number | undefined
  readonly leftMs?: number | undefined
  /** The nearest rule, and how near: 1 is at its threshold. */
  readonly nearest?: { readonly rule: string; readonly need: number } | undefined
  /** The same of every rule that is measured, the nearest first; not known yet where there is no `need`. */
  readonly rules?: readonly { readonly rule: string; readonly need: number | undefined }[] | undefined
  readonly isBeingCaptured?: boolean | undefined
}

/** Less than this a minute comes and goes. */
const NOTABLE_BYTES_PER_MINUTE = 64 * 1024

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Processes, the nearest to a rule first; what is not known is left empty. */
export function renderProcesses(
  processes: readonly ListedProcess[],
  style: TextStyle,
  isLive: boolean,
): readonly string[] {
  if (processes.length === 0) return ['no Python process is named by a target']
  const hasInside = processes.some(({ insidePid }) => insidePid !== undefined)
  const columns: readonly Column[] = [
    { head: 'pid', align: 'right' },
    ...(hasInside ? [INSIDE] : []),
    { head: 'target', align: 'left' },
    { head: 'user', align: 'left' },
    { head: 'RSS', align: 'right' },
    { head: 'limit', align: 'right' },
    ...(isLive ? LIVE : []),
    { head: 'nearest rule', align: 'left' },
    { head: 'command', align: 'left', gives: true },
  ]
  return layOutTable(
    columns,
    processes.toSorted(byNeed).map((process) => cellsOf(process, style, { isLive, hasInside })),
    style,
  )
}

const INSIDE: Column = { head: 'inside', align: 'right' }

/** Which columns there are besides those that are always. */
type Shown = { readonly isLive: boolean; readonly hasInside: boolean }

const LIVE: readonly Column[] = [
  { head: 'growth/min', align: 'right' },
  { head: 'to limit', align: 'right' },
]

const byNeed = (a: ListedProcess, b: ListedProcess): number =>
  (b.nearest?.need ?? 0) - (a.nearest?.need ?? 0) || b.rssBytes - a.rssBytes

function cellsOf(process: ListedProcess, { palette }: TextStyle, shown: Shown): readonly Cell[] {
  const { pid, target, user, command, rssBytes, limitShare, nearest, isBeingCaptured } = process
  const { insidePid, container } = process
  const inContainer = container === undefined ? '' : `[${visible(containerName(container), 100)}] `
  const need = nearest?.need ?? 0
  const paint = need >= 1 ? palette.red : need >= 0.8 ? palette.yellow : undefined
  return [
    { text: String(pid) },
    ...(shown.hasInside ? [{ text: insidePid === undefined ? '' : String(insidePid) }] : []),
    { text: visible(target, 20) },
    { text: visible(user, 12) },
    { text: formatBytes(rssBytes) },
    { text: limitShare === undefined ? '' : formatShare(limitShare) },
    ...(shown.isLive ? liveCells(process) : []),
    { text: nearest === undefined ? '' : `${visible(nearest.rule, 20)} ${formatShare(need)}`, paint },
    { text: `${isBeingCaptured === true ? '(being captured) ' : ''}${inContainer}${visible(command, 300)}` },
  ]
}

function liveCells({ growthBytesPerMs, leftMs }: ListedProcess): readonly Cell[] {
  const perMinute = (growthBytesPerMs ?? 0) * 60_000
  const isStill = Math.abs(perMinute) < NOTABLE_BYTES_PER_MINUTE
  const growth = growthBytesPerMs === undefined ? '' : isStill ? '0' : formatBytes(perMinute)
  return [
    { text: growth.startsWith('-') || growth === '0' || growth === '' ? growth : `+${growth}` },
    { text: leftMs === undefined || isStill ? '' : leftMs > DAY_MS ? '> 1 d' : formatDuration(leftMs) },
  ]
}
