import type { Dump, Findings } from '../model.ts'
import { changeCells } from './census-text.ts'
import { formatBytes, formatChange, formatCount } from './format.ts'
import { layOutTable, type Cell, type Column, type TextStyle } from './layout.ts'
import { factLines, sectionLines } from './section.ts'
import { verdictLines } from './verdict-text.ts'
import { visible } from './visible.ts'

/** What became of dump A in dump B; `findings` are those of B against A. */
export function renderDiff(before: Dump, after: Dump, findings: Findings, style: TextStyle): string {
  const inner = { ...style, width: style.width - 2 }
  const lines = [
    ...verdictLines(findings, style),
    ...sectionLines({ head: 'Compared', lines: comparedLines(before, after, style) }, style),
    ...sectionLines({ head: 'Sums', lines: sumLines(before, after, inner) }, style),
    ...sectionLines({ head: 'Types, by growth', lines: typeLines(findings, inner) }, style),
  ]
  return `${lines.join('\n')}\n`
}

function comparedLines(before: Dump, after: Dump, { width, palette }: TextStyle): readonly string[] {
  const [a, b] = [before.manifest.process, after.manifest.process]
  const isSame = a.boot_id === b.boot_id && a.pid === b.pid && a.start_ticks === b.start_ticks
  return [
    ...factLines('A', visible(`${before.id}, ${before.manifest.started_at}`), width),
    ...factLines('B', visible(`${after.id}, ${after.manifest.started_at}`), width),
    ...(isSame ? [] : [palette.yellow('A and B are different processes: growth is only a difference here')]),
  ]
}

type Sum = {
  readonly what: string
  readonly of: (dump: Dump) => number | undefined
  readonly format: (value: number) => string
}

const sums: readonly Sum[] = [
  { what: 'RSS', of: ({ manifest }) => manifest.rss_bytes, format: formatBytes },
  { what: 'Python objects', of: ({ census }) => census?.bytes, format: formatBytes },
  { what: 'objects', of: ({ census }) => census?.objects, format: formatCount },
  { what: 'malloc in use', of: ({ census }) => census?.malloc?.inUseBytes, format: formatBytes },
  { what: 'malloc free', of: ({ census }) => census?.malloc?.freeBytes, format: formatBytes },
  { what: 'threads', of: ({ census }) => census?.python.threads, format: formatCount },
  { what: 'modules', of: ({ census }) => census?.python.moduleCount, format: formatCount },
]

function sumLines(before: Dump, after: Dump, style: TextStyle): readonly string[] {
  const rows = sums.flatMap(({ what, of, format }) => {
    const [a, b] = [of(before), of(after)]
    if (a === undefined && b === undefined) return []
    const sides = [a, b].map((value): Cell => ({ text: value === undefined ? '–' : format(value) }))
    const change = a === undefined || b === undefined ? '' : formatChange(b - a, format)
    return [[{ text: what }, ...sides, { text: change, paint: paintChange(change, style) }]]
  })
  const columns: readonly Column[] = [
    { head: '', align: 'left' },
    { head: 'A', align: 'right' },
    { head: 'B', align: 'right' },
    { head: 'change', align: 'right' },
  ]
  return layOutTable(columns, rows, style)
}

const paintChange = (change: string, { palette }: TextStyle): Cell['paint'] =>
  change.startsWith('+') ? palette.red : change.startsWith('-') ? palette.green : undefined

function typeLines(findings: Findings, style: TextStyle): readonly string[] {
  const changed = findings.types.filter(({ grownBytes, grownCount }) => grownBytes !== 0 || grownCount !== 0)
  if (changed.length === 0) return []
  const [grown, shrunk] = [changed.filter(isGrown), changed.filter((row) => !isGrown(row))]
  const rows = [...grown.slice(0, 20), ...shrunk.slice(-10)].map((row) => typeCells(row, style))
  const columns: readonly Column[] = [
    ...['grown', 'by', 'count', 'bytes'].map((head): Column => ({ head, align: 'right' })),
    { head: 'type', align: 'left', gives: true },
  ]
  return layOutTable(columns, rows, style)
}

const typeCells = (row: Findings['types'][number], style: TextStyle): readonly Cell[] => [
  ...changeCells(row, style),
  { text: formatCount(row.count) },
  { text: formatBytes(row.bytes) },
  { text: visible(row.type) },
]

const isGrown = ({ grownBytes }: Findings['types'][number]): boolean => grownBytes > 0
