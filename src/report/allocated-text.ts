import type { Allocations, Findings, SiteGrowth } from '../model.ts'
import { formatBytes, formatChange, formatCount, formatShare } from './format.ts'
import { layOutTable, wrap, type Column, type TextStyle } from './layout.ts'
import type { Section } from './section.ts'
import { visible } from './visible.ts'

const MOST_SITES = 10
/** Calls that are shown of the first site; the others have one line each. */
const MOST_CALLS = 5

/** Where memory was allocated, as far as tracemalloc saw it; no lines where it does not run. */
export function allocatedSection(
  allocations: Allocations | undefined,
  { allocated }: Findings,
  style: TextStyle,
): Section {
  const head = 'Allocated at (tracemalloc, since it runs)'
  if (allocations === undefined || allocated === undefined) return { head, lines: [] }
  const { bytes, count, frames, overheadBytes } = allocations
  const sums =
    `${formatBytes(bytes)} in ${formatCount(count)} allocations; tracemalloc itself takes ` +
    `${formatBytes(overheadBytes)} of the service for ${frames === 1 ? '1 frame' : `${frames} frames`} each`
  return {
    head,
    lines: [
      ...siteLines(allocated.slice(0, MOST_SITES), bytes, style),
      ...callLines(allocated[0], style),
      ...wrap(sums, style.width),
    ],
  }
}

function siteLines(sites: readonly SiteGrowth[], totalBytes: number, style: TextStyle): readonly string[] {
  if (sites.length === 0) return []
  const isCompared = sites.some(({ grownBytes }) => grownBytes !== undefined)
  const rows = sites.map((site) => [
    { text: formatCount(site.count) },
    { text: formatBytes(site.bytes) },
    { text: formatShare(totalBytes > 0 ? site.bytes / totalBytes : 0) },
    ...(isCompared ? growthCells(site, style) : []),
    { text: visible(placeOf(site.frames[0])) },
  ])
  const numbers = ['count', 'bytes', '%', ...(isCompared ? ['grown', 'by'] : [])]
  const columns: readonly Column[] = [
    ...numbers.map((head): Column => ({ head, align: 'right' })),
    { head: 'line', align: 'left', gives: true, cuts: 'front' },
  ]
  return layOutTable(columns, rows, style)
}

const growthCells = ({ grownCount = 0, grownBytes = 0 }: SiteGrowth, { palette }: TextStyle) => [
  { text: formatChange(grownCount, formatCount) },
  {
    text: formatChange(grownBytes, formatBytes),
    paint: grownBytes > 0 ? palette.red : grownBytes < 0 ? palette.green : undefined,
  },
]

/** Who called the line that comes first. */
function callLines(site: SiteGrowth | undefined, { width, palette }: TextStyle): readonly string[] {
  const calls = (site?.frames ?? []).slice(1, MOST_CALLS).map((frame) => visible(placeOf(frame)))
  return calls.length === 0
    ? []
    : wrap(`the first was called from ${calls.join(' < ')}`, width).map((line) => palette.dim(line))
}

/** `app/cache.py:41`: the last two parts of a path tell files apart. */
const placeOf = (frame: { readonly file: string; readonly line: number } | undefined): string =>
  frame === undefined ? '?' : `${frame.file.split('/').slice(-2).join('/')}:${frame.line}`
