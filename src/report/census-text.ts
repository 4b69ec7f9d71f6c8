import type { Census, Dump, Findings, Owner, ThreadStack, TypeGrowth } from '../model.ts'
import { allocatedSection } from './allocated-text.ts'
import { formatBytes, formatChange, formatCount, formatShare } from './format.ts'
import { layOutTable, wrap, type Cell, type Column, type TextStyle } from './layout.ts'
import type { Section } from './section.ts'
import { fit, fitEnd, visible } from './visible.ts'

/** What the census of a dump says, table by table; nothing when there is none. */
export function censusSections({ census }: Dump, findings: Findings, style: TextStyle): readonly Section[] {
  if (census === undefined) return []
  const inner = { ...style, width: style.width - 2 }
  const isCompared = findings.baseline !== undefined
  return [
    {
      head: typesHead(census, isCompared),
      lines: typeLines(findings.types.slice(0, 20), census, { isCompared, style: inner }),
    },
    { head: 'Who holds it', lines: ownerLines(census.owners.slice(0, 15), census, inner) },
    allocatedSection(census.allocations, findings, inner),
    { head: 'Largest objects', lines: largestLines(census, inner) },
    {
      head: 'What it was doing',
      lines: census.stacks.slice(0, 8).flatMap((stack) => stackLines(stack, inner)),
    },
    { head: 'Garbage collector', lines: gcLines(census, inner) },
    {
      head: 'Left out',
      lines: census.problems.slice(0, 10).flatMap((text) => wrap(visible(text, 300), inner.width)),
    },
  ]
}

// Of a census that was cut off before its end only the collector's own count is known, without sizes.
function typesHead(census: Census, isCompared: boolean): string {
  if (!census.complete && census.bytes === 0)
    return 'Types, by count of what the collector tracks: str, int and bytes are missing, sizes are not known'
  return isCompared ? 'Types, by growth' : 'Types, by size'
}

/** Types as heapy prints them, with the cumulative share; against a baseline with what has grown. */
function typeLines(
  types: readonly TypeGrowth[],
  census: Census,
  { isCompared, style }: { readonly isCompared: boolean; readonly style: TextStyle },
): readonly string[] {
  if (types.length === 0) return []
  let sumBytes = 0
  const rows = types.map((row) => {
    sumBytes += row.bytes
    const size = [{ text: formatCount(row.count) }, { text: formatBytes(row.bytes) }]
    const share = shareOf(row.bytes, census.bytes)
    const name = { text: visible(row.type) }
    return isCompared
      ? [...size, share, ...changeCells(row, style), name]
      : [...size, share, shareOf(sumBytes, census.bytes), name]
  })
  const numbers = isCompared ? ['count', 'bytes', '%', 'grown', 'by'] : ['count', 'bytes', '%', 'cumul']
  const columns: readonly Column[] = [
    ...numbers.map((head): Column => ({ head, align: 'right' })),
    { head: 'type', align: 'left', gives: true },
  ]
  return layOutTable(columns, rows, style)
}

/** How a type has changed: growth is what is looked for, so it is what stands out. */
export const changeCells = (
  { grownCount, grownBytes }: TypeGrowth,
  { palette }: TextStyle,
): readonly Cell[] => [
  { text: formatChange(grownCount, formatCount) },
  {
    text: formatChange(grownBytes, formatBytes),
    paint: grownBytes > 0 ? palette.red : grownBytes < 0 ? palette.green : undefined,
  },
]

const shareOf = (bytes: number, total: number): Cell => ({ text: formatShare(total > 0 ? bytes / total : 0) })

function ownerLines(owners: readonly Owner[], census: Census, style: TextStyle): readonly string[] {
  if (owners.length === 0) return []
  const rows = owners.map((owner) => [
    { text: formatBytes(owner.bytes) },
    shareOf(owner.bytes, census.bytes),
    { text: owner.entries === undefined ? '' : formatCount(owner.entries) },
    { text: fit(visible(owner.type), 18) },
    { text: visible(nameOwner(owner)) },
  ])
  const columns: readonly Column[] = [
    { head: 'bytes', align: 'right' },
    { head: '%', align: 'right' },
    { head: 'entries', align: 'right' },
    { head: 'type', align: 'left' },
    { head: 'owner', align: 'left', gives: true, cuts: 'front' },
  ]
  return layOutTable(columns, rows, style)
}

// The interpreter's own scope and kind are one word.
const nameOwner = ({ kind, scope, path }: Owner): string =>
  [...new Set([kind, scope, path])].filter((part) => part !== '').join(' ')

function largestLines(census: Census, style: TextStyle): readonly string[] {
  if (census.largest.length === 0) return []
  const rows = census.largest
    .slice(0, 10)
    .map(({ type, bytes, entries }) => [
      { text: formatBytes(bytes) },
      { text: entries === undefined ? '' : formatCount(entries) },
      { text: visible(type) },
    ])
  const columns: readonly Column[] = [
    { head: 'bytes', align: 'right' },
    { head: 'entries', align: 'right' },
    { head: 'type', align: 'left', gives: true },
  ]
  return layOutTable(columns, rows, style)
}

function stackLines({ name, frames, isMain }: ThreadStack, { palette, width }: TextStyle): readonly string[] {
  const head = `${fitEnd(visible(name, 200), width - 10)}${isMain ? ' (main)' : ''}`
  const calls = frames.slice(0, 4).map((frame) => {
    const called = visible(frame.function, 100)
    return `  ${fitEnd(`${called}  ${visible(frame.file, 300)}:${frame.line}`, width - 2)}`
  })
  const others = frames.length > 4 ? [palette.dim(`  … ${formatCount(frames.length - 4)} more`)] : []
  return [palette.bold(head), ...calls, ...others]
}

function gcLines({ gc, objects }: Census, { width }: TextStyle): readonly string[] {
  const state = gc.enabled ? 'enabled' : 'DISABLED: reference cycles are never freed'
  const facts = [
    state,
    `counts ${gc.counts.join('/')} of ${gc.thresholds.join('/')}`,
    `${formatCount(gc.frozen)} frozen`,
    `${formatCount(gc.collected)} collected`,
    `${formatCount(gc.uncollectable)} uncollectable`,
    `${formatCount(gc.garbage)} in gc.garbage`,
    `${formatCount(objects)} objects met`,
  ]
  return wrap(facts.join(', '), width)
}
