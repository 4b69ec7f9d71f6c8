import type { Dump, GraphFindings, GraphGrowth, GraphSuspect, TypeRow } from '../model.ts'
import { formatBytes, formatChange, formatCount, formatShare } from './format.ts'
import { type Cell, type Column, layOutTable, type TextStyle, wrap } from './layout.ts'
import { sectionLines } from './section.ts'
import { visible } from './visible.ts'

const MOST_OWNERS = 20
const MOST_TYPES = 15
const NAME_LENGTH = 300

/** What a whole graph says: where memory piles up, what each name retains, what each type does. */
export function renderGraph(
  dump: Dump,
  findings: GraphFindings,
  growth: GraphGrowth | undefined,
  style: TextStyle,
): string {
  const inner = { ...style, width: style.width - 2 }
  const lines = [
    ...wrap(headOf(dump, findings), style.width),
    ...suspectLines(findings, style),
    ...sectionLines({ head: 'What each name retains', lines: ownerLines(findings, growth, inner) }, style),
    ...sectionLines({ head: 'What each type retains', lines: typeLines(findings, growth, inner) }, style),
  ]
  return `${lines.join('\n')}\n`
}

const headOf = (dump: Dump, { objects, references, bytes }: GraphFindings): string =>
  visible(
    `${dump.id}: ${formatCount(objects)} objects, ${formatCount(references)} references, ${formatBytes(bytes)}. ` +
      'Retained is what would be free if something did not exist.',
  )

function suspectLines(findings: GraphFindings, style: TextStyle): readonly string[] {
  const { suspects, bytes } = findings
  if (suspects.length === 0)
    return ['', ...wrap('Nothing retains as much as a tenth of it: the memory is spread.', style.width)]
  return suspects.flatMap((suspect, at) => {
    const title = wrap(visible(titleOf(suspect, bytes), 1000), style.width, '   ', `${at + 1}. `)
    const evidence = evidenceOf(suspect).map((line) =>
      wrap(visible(line, 1000), style.width, '     ', '   - '),
    )
    return ['', ...title.map(style.palette.bold)].concat(...evidence)
  })
}

function titleOf({ kind, type, count, where, retainedBytes }: GraphSuspect, bytes: number): string {
  const retains = `${formatBytes(retainedBytes)}, ${formatShare(retainedBytes / Math.max(1, bytes))} of all`
  const name = shortType(type)
  switch (kind) {
    case 'object':
      return `${where} (${name}) retains ${retains}`
    case 'chain':
      return `${where}, the head of a chain of ${formatCount(count)} ${name}, retains ${retains}`
    case 'group':
      return `${formatCount(count)} ${name} together retain ${retains}, and more than one holds each`
    default:
      return kind satisfies never
  }
}

function evidenceOf({ kind, where, holds, holders }: GraphSuspect): readonly string[] {
  return [
    ...(kind === 'group' ? [`reached most directly by ${where}`] : []),
    ...holders.map(
      (holder) =>
        `${holder.where} (${shortType(holder.type)}) refers to ${formatCount(holder.members)} of them`,
    ),
    ...(holds.length > 0 ? [`in it: ${holds.map(typeText).join(', ')}`] : []),
  ]
}

const typeText = ({ type, count, bytes }: TypeRow): string =>
  `${formatCount(count)} ${shortType(type)} ${formatBytes(bytes)}`

const shortType = (type: string): string => type.replace(/^__main__\./, '')

const ownerLines = (
  findings: GraphFindings,
  growth: GraphGrowth | undefined,
  style: TextStyle,
): readonly string[] => tableOf((growth?.owners ?? findings.owners).slice(0, MOST_OWNERS), findings, style)

function typeLines(
  findings: GraphFindings,
  growth: GraphGrowth | undefined,
  style: TextStyle,
): readonly string[] {
  const rows: readonly (GraphFindings['types'][number] & Grown)[] = growth?.types ?? findings.types
  const named = rows.slice(0, MOST_TYPES).map(({ type, count, retainedBytes, grownBytes }) => ({
    name: `${shortType(type)} (${formatCount(count)})`,
    retainedBytes,
    grownBytes,
  }))
  return tableOf(named, findings, style)
}

type Grown = { readonly grownBytes?: number | undefined }
type Row = Grown & { readonly name: string; readonly retainedBytes: number }

function tableOf(
  rows: readonly Row[],
  { bytes }: Pick<GraphFindings, 'bytes'>,
  style: TextStyle,
): readonly string[] {
  const isCompared = rows[0]?.grownBytes !== undefined
  const columns: readonly Column[] = [
    ...(isCompared ? [{ head: 'grown', align: 'right' as const }] : []),
    { head: 'retained', align: 'right' },
    { head: 'of all', align: 'right' },
    { head: '', align: 'left', gives: true },
  ]
  const cells = rows.map(({ name, retainedBytes, grownBytes }): readonly Cell[] => {
    const plain = [
      { text: formatBytes(retainedBytes) },
      { text: formatShare(retainedBytes / Math.max(1, bytes)) },
      { text: visible(name, NAME_LENGTH) },
    ]
    return isCompared ? [{ text: formatChange(grownBytes ?? 0, formatBytes) }, ...plain] : plain
  })
  return rows.length === 0 ? [] : layOutTable(columns, cells, style)
}
