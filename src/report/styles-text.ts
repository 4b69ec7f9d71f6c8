import type { Census, TypeRow } from '../model.ts'
import { visible } from './visible.ts'

const MOST_ROWS = 20

/** Types as guppy's heapy prints a partition of the heap. */
export function renderHeapy({ objects, bytes, types }: Census): string {
  const head = ' Index  Count   %     Size   % Cumulative  % Kind (class / dict of class)'
  let cumulative = 0
  const rows = types.slice(0, MOST_ROWS).map(({ type, count, bytes: size }, index) => {
    cumulative += size
    const cells = [
      String(index).padStart(6),
      String(count).padStart(6),
      percent(count, objects),
      String(size).padStart(8),
      percent(size, bytes),
      String(cumulative).padStart(9),
      percent(cumulative, bytes),
      visible(type, 200),
    ]
    return cells.join(' ')
  })
  const left = types.length - rows.length
  const more = left > 0 ? [`<${left} more rows.>`] : []
  return [`Partition of a set of ${objects} objects. Total size = ${bytes} bytes.`, head, ...rows, ...more]
    .map((line) => `${line}\n`)
    .join('')
}

const percent = (part: number, whole: number): string =>
  String(Math.round((part / Math.max(1, whole)) * 100)).padStart(3)

/** Types as pympler's summary prints them. */
export function renderPympler({ types }: Census): string {
  const rows = types
    .slice(0, MOST_ROWS)
    .map((row) => [visible(row.type, 200), String(row.count), sizeOf(row)] as const)
  const heads = ['types', '# objects', 'total size'] as const
  const widths = heads.map(
    (head, at) => Math.max(head.length, ...rows.map((row) => (row[at] ?? '').length)) + 2,
  )
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => cell.padStart(widths[at] ?? 0)).join(' | ')
  const border = widths.map((width) => '='.repeat(width)).join(' | ')
  return [line(heads), border, ...rows.map(line)].map((text) => `${text}\n`).join('')
}

function sizeOf({ bytes }: TypeRow): string {
  const scales = ['B', 'KB', 'MB', 'GB', 'TB']
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), scales.length - 1)
  return power === 0 ? `${bytes}     B` : `${(bytes / 1024 ** power).toFixed(2)} ${scales[power]}`
}
