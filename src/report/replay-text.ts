import type { FiredRule } from '../model.ts'
import { explainMeasure } from './dump-facts.ts'
import { formatBytes, formatDuration } from './format.ts'
import { layOutTable, type Column, type TextStyle } from './layout.ts'
import { visible } from './visible.ts'

/** A line of a replay. */
export type ReplayRow =
  | {
      readonly kind: 'capture' | 'trace'
      readonly atMs: number
      readonly doneMs: number
      readonly pid: number
      readonly target: string
      readonly rssBytes: number
      readonly fired: FiredRule
      readonly alsoFired: readonly string[]
    }
  | {
      readonly kind: 'oom'
      readonly atMs: number
      readonly pid: number
      readonly target: string
      readonly rssBytes: number
      readonly leadMs: number | undefined
    }

export type ReplaySummary = {
  readonly looks: number
  readonly processes: number
  readonly spanMs: number
  readonly hasSchedules: boolean
}

const columns: readonly Column[] = [
  { head: 'after', align: 'right' },
  { head: 'target', align: 'left' },
  { head: 'pid', align: 'right' },
  { head: 'RSS', align: 'right' },
  { head: 'what', align: 'left', gives: true },
]

/** What rules would have done, in the order of time, and a summary. */
export function renderReplay(rows: readonly ReplayRow[], summary: ReplaySummary, style: TextStyle): string {
  const { palette } = style
  const table = layOutTable(
    columns,
    rows.map((row) => [
      { text: formatDuration(row.atMs) },
      { text: visible(row.target, 20) },
      { text: String(row.pid) },
      { text: formatBytes(row.rssBytes) },
      { text: visible(whatOf(row), 200), paint: row.kind === 'oom' ? palette.red : undefined },
    ]),
    style,
  )
  const captures = rows.filter(({ kind }) => kind === 'capture').length
  const kills = rows.filter((row) => row.kind === 'oom')
  const missed = kills.filter((row) => row.kind === 'oom' && row.leadMs === undefined).length
  const told = `${captures} captures in ${formatDuration(summary.spanMs)}, ${summary.processes} processes, ${summary.looks} looks`
  const killed =
    kills.length === 0 ? '' : `; ${kills.length} OOM kills, ${missed === 0 ? 'none' : missed} without a dump`
  const schedules = summary.hasSchedules
    ? ['rules with a schedule are left out: recorded time is not the clock']
    : []
  const head = rows.length === 0 ? ['nothing would have been captured'] : table
  return [...head, '', `${told}${killed}`, ...schedules].map((line) => `${line}\n`).join('')
}

function whatOf(row: ReplayRow): string {
  if (row.kind === 'oom')
    return row.leadMs === undefined
      ? 'OOM-killed, without a dump'
      : `OOM-killed, ${formatDuration(row.leadMs)} after the capture`
  const { rule, kind, value, threshold } = row.fired
  const measured = value === undefined ? '' : `: ${kind} ${explainMeasure(kind, value)}`
  const over = threshold === undefined ? '' : `, threshold ${explainMeasure(kind, threshold)}`
  const also = row.alsoFired.length === 0 ? '' : `; also ${row.alsoFired.join(', ')}`
  return `${row.kind === 'trace' ? 'traced by ' : ''}${rule}${measured}${over}${also}`
}
