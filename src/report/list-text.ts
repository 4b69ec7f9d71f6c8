import type { DumpManifest, Ending } from '../model.ts'
import { formatBytes, formatDuration } from './format.ts'
import { layOutTable, type Cell, type Column, type TextStyle } from './layout.ts'
import { fit, visible } from './visible.ts'

/** A dump as a list shows it. */
export type ListedDump = {
  readonly id: string
  readonly manifest: DumpManifest
  /** From its findings, where these were stored. */
  readonly headline?: string | undefined
  readonly ending?: Ending | undefined
  readonly isPinned?: boolean | undefined
}

const columns: readonly Column[] = [
  { head: 'dump', align: 'left' },
  { head: 'RSS', align: 'right' },
  { head: 'says', align: 'left', gives: true },
]

/** Dumps by target, in the order given. */
export function renderList(dumps: readonly ListedDump[], style: TextStyle): string {
  if (dumps.length === 0) return 'no dumps\n'
  const byTarget = new Map<string, ListedDump[]>()
  for (const dump of dumps) byTarget.set(targetOf(dump), [...(byTarget.get(targetOf(dump)) ?? []), dump])
  return [...byTarget]
    .map(([target, listed]) => {
      const head = style.palette.bold(fit(visible(target), style.width))
      return [head, ...layOutTable(columns, listed.map(listCells), style)].map((line) => `${line}\n`).join('')
    })
    .join('\n')
}

const targetOf = ({ id }: ListedDump): string => id.slice(0, id.indexOf('/'))

const listCells = ({ id, manifest, headline, ending, isPinned }: ListedDump): readonly Cell[] => [
  { text: fit(visible(id), 60) },
  { text: formatBytes(manifest.rss_bytes) },
  {
    text: visible(
      `${isPinned === true ? 'pinned; ' : ''}${storyOf(manifest, ending)}${headlineOf(manifest, headline)}`,
      300,
    ),
  },
]

// An end is worth a word where it says what the dump was for.
const storyOf = ({ started_at: startedAt }: DumpManifest, ending: Ending | undefined): string =>
  ending?.how === 'oom-killed' && Date.parse(ending.at) >= Date.parse(startedAt)
    ? `OOM-killed ${formatDuration(Date.parse(ending.at) - Date.parse(startedAt))} later; `
    : ''

// The size stands in its own column already, and the sentence has to be short.
/** What a dump says, without the size that stands beside it. */
export const headlineOf = (manifest: DumpManifest, headline: string | undefined): string =>
  headline?.replace(/^RSS [^,;.:]*(?:\.\d+ [A-Za-z]+)?[,;.:] /, '') ??
  (manifest.failure === undefined ? '' : `no census: ${manifest.failure.reason}`)
