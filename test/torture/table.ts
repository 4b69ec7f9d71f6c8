import type { InstalledPython } from '../setup/interpreters.ts'
import type { Result } from './run-jobs.ts'
import { type Tally, completeShare, countAll, hasHurt, sum } from './tally.ts'

const COLUMNS = [
  'captures',
  'complete',
  'refused',
  'failed',
  'retries',
  'crashed',
  'hung',
  'misbehaved',
] as const

/** Cases by interpreters; a cell is captures, or complete/captures where they differ, with ! where a service was hurt. */
export function renderTable(results: readonly Result[], pythons: readonly InstalledPython[]): string {
  const names = [...new Set(results.map(({ job }) => job.case.name))].toSorted()
  const rows = names.map((name) => {
    const own = results.filter(({ job }) => job.case.name === name)
    const cells = pythons.map((python) => cell(own, python))
    return [name].concat(cells, totals(sum(own.map(({ tally }) => tally))))
  })
  const all = sum(results.map(({ tally }) => tally))
  const last = ['all', ...pythons.map((python) => cell(results, python)), ...totals(all)]
  return align([['case', ...pythons.map(({ version }) => version), ...COLUMNS], ...rows, last])
}

/** The outcome in a few lines. */
export function renderSummary(results: readonly Result[]): string {
  const all = sum(results.map(({ tally }) => tally))
  return [
    `complete: ${all.complete} of ${all.captures - countAll(all.refused)} captures that were due (${(100 * completeShare(all)).toFixed(2)} %)`,
    `rightly left alone: ${reasons(all.refused)}`,
    `failed: ${reasons(all.failed)}`,
    `services crashed ${all.crashed}, hung ${all.hung}, misbehaved ${all.misbehaved}; longest pause ${all.longestPauseMs.toFixed(0)} ms`,
  ].join('\n')
}

/** What was seen wherever something hurt or failed. */
export function renderDetails(results: readonly Result[]): string {
  return results
    .filter(({ tally }) => tally.details.length > 0)
    .map(({ job, tally }) => {
      const lines = tally.details.slice(0, 4).map((detail) => `    ${detail.replaceAll('\n', '\n      ')}`)
      return [`${hasHurt(tally) ? '!' : ' '} ${job.case.name}, ${job.python}`, ...lines].join('\n')
    })
    .join('\n')
}

function cell(results: readonly Result[], { path }: InstalledPython): string {
  const own = results.filter(({ job }) => job.python === path).map(({ tally }) => tally)
  if (own.length === 0) return '-'
  const tally = sum(own)
  const good = tally.complete + countAll(tally.refused)
  const share = good === tally.captures ? `${tally.captures}` : `${good}/${tally.captures}`
  return `${share}${hasHurt(tally) ? '!' : ''}`
}

const totals = (tally: Tally): string[] =>
  COLUMNS.map((name) => {
    const value = tally[name]
    return String(typeof value === 'number' ? value : countAll(value))
  })

const reasons = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([reason, times]) => `${reason} ${times}`)
    .join(', ') || 'none'

/** Columns under each other; the first to the left, numbers to the right. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((text, column) =>
          /^[\d-]/.test(text) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n')
}
