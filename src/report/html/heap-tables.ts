import type { Census, Findings, Owner, SiteGrowth, TypeGrowth } from '../../model.ts'
import { formatBytes, formatChange, formatCount, formatShare } from '../format.ts'
import { html, nothing, type Markup } from './markup.ts'
import { pageTable, shareBar, type PageCell, type PageColumn } from './table.ts'

const left = (head: string): PageColumn => ({ head, align: 'left' })
const right = (head: string): PageColumn => ({ head, align: 'right' })

const bytesCell = (bytes: number): PageCell => ({ text: formatBytes(bytes), by: bytes })
const countCell = (count: number | undefined): PageCell =>
  count === undefined ? { text: '', by: -1 } : { text: formatCount(count), by: count }

const grownCell = (change: number | undefined, format: (value: number) => string): PageCell => ({
  text: change === undefined ? '' : formatChange(change, format),
  by: change ?? 0,
  tone: change === undefined || change === 0 ? undefined : change > 0 ? 'grown' : 'shrunk',
})

/** Types, with what has come to them since the baseline where there is one. */
export function typesTable(census: Census, findings: Findings): Markup {
  const most = Math.max(1, ...findings.types.map((row) => Math.abs(sizeOf(row, findings))))
  const isCompared = findings.baseline !== undefined
  const grownColumns = isCompared ? [right('grown'), right('by')] : []
  return pageTable(
    [left('type'), right('count'), right('bytes'), right('of heap'), ...grownColumns, left('')],
    findings.types.map((row) => ({
      cells: [
        { text: row.type },
        countCell(row.count),
        bytesCell(row.bytes),
        { text: formatShare(shareOf(row.bytes, census.bytes)), by: row.bytes },
        ...(isCompared
          ? [grownCell(row.grownCount, formatCount), grownCell(row.grownBytes, formatBytes)]
          : []),
        barCell(sizeOf(row, findings), most),
      ],
    })),
  )
}

const sizeOf = (row: TypeGrowth, { baseline }: Findings): number =>
  baseline === undefined ? row.bytes : row.grownBytes

const barCell = (value: number, most: number): PageCell => ({
  text: shareBar(Math.abs(value) / most, value < 0 ? 'shrunk' : 'fill'),
  by: value,
})

const shareOf = (bytes: number, total: number): number => (total > 0 ? bytes / total : 0)

/** Who holds the heap; a row unfolds to what it holds. */
export const ownersTable = ({ owners, bytes }: Census): Markup =>
  pageTable(
    [left('owner'), left('type'), right('entries'), right('objects'), right('bytes'), right('of heap')],
    owners.map((owner, index) => ({
      id: `owner-${index}`,
      cells: [
        { text: ownerOf(owner) },
        { text: owner.type },
        countCell(owner.entries),
        countCell(owner.objects),
        bytesCell(owner.bytes),
        { text: formatShare(shareOf(owner.bytes, bytes)), by: owner.bytes },
      ],
    })),
  )

function ownerOf({ kind, scope, path, notes, types, entryTypes }: Owner): Markup {
  const name = html`<span class="kind of-${kind}">${kind}</span> ${scope === kind ? '' : scope}
    <b>${path}</b>`
  const details = [
    ...notes,
    ...(entryTypes.length === 0
      ? []
      : [`entries: ${entryTypes.map(({ type, count }) => `${formatCount(count)} ${type}`).join(', ')}`]),
    ...types.map((row) => `${formatBytes(row.bytes)} in ${formatCount(row.count)} ${row.type}`),
  ]
  if (details.length === 0) return name
  return html`<details>
    <summary>${name}</summary>
    <ul>
      ${details.map((line) => html`<li>${line}</li>`)}
    </ul>
  </details>`
}

/** The largest single objects. */
export const largestTable = ({ largest }: Census): Markup =>
  pageTable(
    [left('type'), right('entries'), right('bytes')],
    largest.map(({ type, entries, bytes }) => ({
      cells: [{ text: type }, countCell(entries), bytesCell(bytes)],
    })),
  )

/** Where memory was allocated, where tracemalloc ran in the service. */
export function sitesTable(sites: readonly SiteGrowth[] | undefined): Markup {
  if (sites === undefined || sites.length === 0) return nothing
  return pageTable(
    [left('allocated at'), right('blocks'), right('bytes'), right('grown by')],
    sites.map((site) => ({
      cells: [
        { text: siteOf(site) },
        countCell(site.count),
        bytesCell(site.bytes),
        grownCell(site.grownBytes, formatBytes),
      ],
    })),
  )
}

function siteOf({ frames }: SiteGrowth): Markup {
  const [first, ...callers] = frames.map(({ file, line }) => `${file}:${line}`)
  if (callers.length === 0) return html`${first ?? ''}`
  return html`<details>
    <summary>${first ?? ''}</summary>
    <ul>
      ${callers.map((caller) => html`<li>from ${caller}</li>`)}
    </ul>
  </details>`
}
