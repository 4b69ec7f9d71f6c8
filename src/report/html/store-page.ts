import type { ListedDump } from '../list-text.ts'
import { formatBytes, formatCount } from '../format.ts'
import { renderDocument, type PageAssets } from './document.ts'
import { html, nothing, ownSource, type Markup } from './markup.ts'
import { section } from './section.ts'
import { pageTable, type PageRow } from './table.ts'

/** All targets of a store, the one with the newest dump first. */
export function renderStorePage(dumps: readonly ListedDump[], assets: PageAssets): string {
  const rows = [...groupBy(dumps, targetOf)].map(([target, of]): PageRow => {
    const [newest] = of
    return {
      cells: [
        { text: html`<a class="nowrap" href="${targetLink(target)}">${target}</a>` },
        { text: formatCount(of.length), by: of.length },
        { text: sparkline(of) },
        {
          text: newest === undefined ? '' : formatBytes(newest.manifest.rss_bytes),
          by: newest?.manifest.rss_bytes,
        },
        { text: unbroken(newest === undefined ? '' : timeOf(newest.manifest.started_at)) },
        { text: endOf(of) },
        { text: sayings(newest?.headline) },
      ],
    }
  })
  const table = pageTable(
    [
      { head: 'target', align: 'left' },
      { head: 'dumps', align: 'right' },
      { head: 'RSS', align: 'left' },
      { head: 'newest', align: 'right' },
      { head: 'taken (UTC)', align: 'left' },
      { head: 'ended', align: 'left' },
      { head: 'says', align: 'left' },
    ],
    rows,
  )
  const main = rows.length === 0 ? html`<p class="note">There are no dumps in the store.</p>` : table
  return renderDocument({ title: 'Heap dumps by target', main: section('targets', 'Targets', main) }, assets)
}

/** The dumps of one target over time, of which two can be compared. */
export function renderTargetPage(target: string, dumps: readonly ListedDump[], assets: PageAssets): string {
  const [newest, before] = dumps
  const rows = dumps.map((dump): PageRow => {
    const { id, manifest, headline } = dump
    const choice = (name: string, chosen: ListedDump | undefined): Markup =>
      html`<input
        type="radio"
        name="${name}"
        value="${id}"
        ${dump === chosen ? html` checked` : nothing}
        aria-label="${name} ${id}"
      />`
    return {
      cells: [
        { text: choice('a', before) },
        { text: choice('b', newest) },
        { text: html`<a class="nowrap" href="${dumpLink(id)}">${timeOf(manifest.started_at)}</a>` },
        { text: String(manifest.process.pid), by: manifest.process.pid },
        { text: unbroken(manifest.rule) },
        { text: formatBytes(manifest.rss_bytes), by: manifest.rss_bytes },
        { text: endOf([dump]) },
        { text: sayings(headline) },
      ],
    }
  })
  const table = pageTable(
    [
      { head: 'A', align: 'left' },
      { head: 'B', align: 'left' },
      { head: 'taken (UTC)', align: 'left' },
      { head: 'pid', align: 'right' },
      { head: 'rule', align: 'left' },
      { head: 'RSS', align: 'right' },
      { head: 'ended', align: 'left' },
      { head: 'says', align: 'left' },
    ],
    rows,
  )
  const compare = html`<form action="/compare" method="get">
    ${table} ${dumps.length < 2 ? nothing : html`<p><button>What grew from A to B</button></p>`}
  </form>`
  return renderDocument(
    {
      title: target,
      eyebrow: html`<a href="/">all targets</a>`,
      main: html`${section('timeline', 'Resident memory at each dump (UTC)', timeline(dumps))}
      ${section('dumps', 'Dumps, newest first', compare)}`,
      formAction: "'self'",
    },
    assets,
  )
}

/** What cannot be shown, and why. */
export const renderProblemPage = (title: string, detail: string, assets: PageAssets): string =>
  renderDocument(
    { title, eyebrow: html`<a href="/">all targets</a>`, main: html`<p class="note">${detail}</p>` },
    assets,
  )

export const targetLink = (target: string): string => `/target/${encodeURIComponent(target)}`
export const dumpLink = (id: string): string => `/dump/${id.split('/').map(encodeURIComponent).join('/')}`

/** `2026-11-30 10:14:21` */
const timeOf = (iso: string): string => iso.slice(0, 19).replace('T', ' ')

const sayings = (headline = ''): Markup => html`<span class="says">${headline}</span>`
const unbroken = (text: string): Markup => html`<span class="nowrap">${text}</span>`

const targetOf = ({ id }: ListedDump): string => id.slice(0, id.indexOf('/'))

/** Dumps in groups, in the order in which they come. */
function groupBy(
  dumps: readonly ListedDump[],
  keyOf: (dump: ListedDump) => string,
): ReadonlyMap<string, readonly ListedDump[]> {
  const groups = new Map<string, ListedDump[]>()
  for (const dump of dumps) {
    const group = groups.get(keyOf(dump))
    if (group) group.push(dump)
    else groups.set(keyOf(dump), [dump])
  }
  return groups
}

const ENDS = { 'oom-killed': 'OOM-killed', ended: 'ended', replaced: 'ran another program' } as const

/** How the newest of them ended, where that is known. */
const endOf = ([newest]: readonly ListedDump[]): string => (newest?.ending ? ENDS[newest.ending.how] : '')

/** RSS of the dumps, oldest first, at a glance. */
function sparkline(dumps: readonly ListedDump[]): Markup {
  const sizes = dumps
    .map(({ manifest }) => manifest.rss_bytes)
    .slice(0, 40)
    .toReversed()
  const most = Math.max(1, ...sizes)
  const width = 120 / Math.max(1, sizes.length)
  const bars = sizes.map(
    (bytes, at) =>
      html`<rect
        class="fill"
        x="${at * width}"
        y="${24 - (bytes / most) * 24}"
        width="${Math.max(1, width - 1)}"
        height="${(bytes / most) * 24}"
      />`,
  )
  return html`<svg
    class="spark"
    viewBox="0 0 120 24"
    role="img"
    aria-label="RSS of the dumps, up to ${formatBytes(most)}"
  >
    ${bars}
  </svg>`
}

const WIDTH = 760
const HEIGHT = 200
const LEFT = 76
const TOP = 14
const BOTTOM = 24

/** One point for each dump, the processes apart; a cross marks an OOM kill. */
function timeline(dumps: readonly ListedDump[]): Markup {
  if (dumps.length < 2) return nothing
  const at = ({ manifest }: ListedDump): number => Date.parse(manifest.started_at)
  const times = dumps.map(at)
  const ends = dumps.flatMap(({ ending }) => (ending ? [Date.parse(ending.at)] : []))
  const [first, last] = [Math.min(...times), Math.max(...times, ...ends)]
  const most = Math.max(1, ...dumps.map(({ manifest }) => manifest.rss_bytes)) * 1.1
  const x = (ms: number): number => LEFT + ((ms - first) / Math.max(1, last - first)) * (WIDTH - LEFT - 20)
  const y = (bytes: number): number => TOP + (1 - bytes / most) * (HEIGHT - TOP - BOTTOM)
  const lines = [...groupBy(dumps, processOf).values()].map((of) => {
    const points = of.toReversed().map((dump) => `${round(x(at(dump)))},${round(y(dump.manifest.rss_bytes))}`)
    return html`<polyline class="line" points="${ownSource(points.join(' '))}" />`
  })
  const dots = dumps.map(
    (dump) =>
      html`<a href="${dumpLink(dump.id)}"
        ><circle class="dot" cx="${x(at(dump))}" cy="${y(dump.manifest.rss_bytes)}" r="4">
          <title>${dump.manifest.rule}, ${formatBytes(dump.manifest.rss_bytes)}</title>
        </circle></a
      >`,
  )
  const kills = dumps.flatMap(({ ending, manifest }) =>
    ending?.how === 'oom-killed'
      ? [
          html`<text class="kill" x="${x(Date.parse(ending.at))}" y="${y(manifest.rss_bytes) - 8}"
            >✕ OOM</text
          >`,
        ]
      : [],
  )
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="RSS at each dump">
    ${[0, 0.5, 1].map((share) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - 20}" y1="${y((most / 1.1) * share)}" y2="${y((most / 1.1) * share)}" /><text x="${LEFT - 6}" y="${y((most / 1.1) * share) + 4}" text-anchor="end">${formatBytes((most / 1.1) * share)}</text>`)}
    <text x="${LEFT}" y="${HEIGHT - 6}">${timeOf(new Date(first).toISOString())}</text>
    <text x="${WIDTH - 20}" y="${HEIGHT - 6}" text-anchor="end">${timeOf(new Date(last).toISOString())}</text>
    ${lines} ${dots} ${kills}
  </svg>`
}

const round = (value: number): number => Math.round(value * 10) / 10

const processOf = ({ manifest: { process } }: ListedDump): string => `${process.pid} ${process.start_ticks}`
