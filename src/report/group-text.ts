import { formatBytes } from './format.ts'
import { type Column, layOutTable, type TextStyle, wrap } from './layout.ts'
import { headlineOf, type ListedDump } from './list-text.ts'
import { visible } from './visible.ts'

/** The dumps of one leak, on however many hosts. */
export type LeakGroup = {
  /** Undefined: of dumps that name nobody. */
  readonly fingerprint: string | undefined
  readonly dumps: number
  readonly hosts: readonly string[]
  readonly targets: readonly string[]
  /** ISO 8601. */
  readonly first_at: string
  readonly last_at: string
  /** Of the largest. */
  readonly rss_bytes: number
  /** What the newest says, and its name. */
  readonly headline?: string | undefined
  readonly latest: string
}

/** Dumps, newest first, by the leak that they name: the one with the most dumps first, those that name none last. */
export function groupByLeak(dumps: readonly ListedDump[]): readonly LeakGroup[] {
  const groups = new Map<string, ListedDump[]>()
  for (const dump of dumps) {
    const key = dump.manifest.fingerprint ?? ''
    const group = groups.get(key)
    if (group) group.push(dump)
    else groups.set(key, [dump])
  }
  return [...groups.values()]
    .map(describeGroup)
    .toSorted(
      (a, b) =>
        Number(a.fingerprint === undefined) - Number(b.fingerprint === undefined) || b.dumps - a.dumps,
    )
}

function describeGroup(dumps: readonly ListedDump[]): LeakGroup {
  const [newest] = dumps
  const times = dumps
    .map(({ manifest }) => manifest.started_at)
    .toSorted((a, b) => Date.parse(a) - Date.parse(b))
  return {
    fingerprint: newest?.manifest.fingerprint,
    dumps: dumps.length,
    hosts: distinct(dumps.map(({ manifest }) => manifest.machine?.host ?? '')),
    targets: distinct(dumps.map(({ manifest }) => manifest.target)),
    first_at: times[0] ?? '',
    last_at: times.at(-1) ?? '',
    rss_bytes: Math.max(...dumps.map(({ manifest }) => manifest.rss_bytes)),
    headline: newest && headlineOf(newest.manifest, newest.headline),
    latest: newest?.id ?? '',
  }
}

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names.filter(Boolean))]

const columns: readonly Column[] = [
  { head: 'leak', align: 'left' },
  { head: 'dumps', align: 'right' },
  { head: 'hosts', align: 'right' },
  { head: 'targets', align: 'left' },
  { head: 'last', align: 'left' },
  { head: 'RSS', align: 'right' },
]

/** A line for each leak, and what the newest of its dumps says below it. */
export function renderGroups(groups: readonly LeakGroup[], style: TextStyle): string {
  if (groups.length === 0) return 'no dumps\n'
  const rows = groups.map((group) => [
    { text: group.fingerprint ?? 'none named' },
    { text: String(group.dumps) },
    { text: String(group.hosts.length) },
    { text: visible(group.targets.join(', '), 30) },
    { text: `${group.last_at.slice(0, 16).replace('T', ' ')}Z` },
    { text: formatBytes(group.rss_bytes) },
  ])
  const [head = '', ...lines] = layOutTable(columns, rows, style)
  const told = lines.flatMap((line, at) => [line].concat(saysOf(groups[at], style)))
  return [head, ...told].map((line) => `${line}\n`).join('')
}

const INDENT = '    '

function saysOf(group: LeakGroup | undefined, { width }: TextStyle): readonly string[] {
  if (group?.headline === undefined) return []
  return wrap(visible(group.headline, 500), width, INDENT, INDENT)
}
