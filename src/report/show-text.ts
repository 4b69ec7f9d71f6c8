import type { Dump, Findings, Reconciliation } from '../model.ts'
import { censusSections } from './census-text.ts'
import { captureFacts, processFacts, type Fact } from './dump-facts.ts'
import { collectionLines } from './collections-text.ts'
import { formatBytes, formatDuration, formatShare } from './format.ts'
import { layOutTable, type TextStyle, wrap } from './layout.ts'
import { factLines, sectionLines, type Section } from './section.ts'
import { verdictLines } from './verdict-text.ts'
import { visible } from './visible.ts'

/** Everything that a dump says, the verdict first. */
export function renderShow(dump: Dump, findings: Findings, style: TextStyle): string {
  const sections: readonly Section[] = [
    { head: 'Process', lines: linesOf([...processFacts(dump, findings), ['RSS', sparkline(dump)]], style) },
    { head: 'Capture', lines: linesOf(captureFacts(dump), style) },
    { head: 'Where the memory is', lines: reconciliationLines(findings.reconciliation, style) },
    ...censusSections(dump, findings, style),
    { head: 'Collections meanwhile', lines: linesOfCollections(dump, style) },
  ]
  return `${[...verdictLines(findings, style), ...sections.flatMap((section) => sectionLines(section, style))].join('\n')}\n`
}

const BARS = '▁▂▃▄▅▆▇█'
const SPARK_COLUMNS = 40

/** How RSS went until the capture: the highest of each stretch of the history, from 0 up. */
function sparkline({ outside: { history } }: Dump): string | undefined {
  const [oldest] = history
  if (oldest === undefined || history.length < 2) return undefined
  const highest = Array.from({ length: Math.min(SPARK_COLUMNS, history.length) }, () => 0)
  for (const { secondsAgo, rssBytes } of history) {
    const share = 1 - secondsAgo / Math.max(1, oldest.secondsAgo)
    const at = Math.min(highest.length - 1, Math.max(0, Math.floor(share * highest.length)))
    highest[at] = Math.max(highest[at] ?? 0, rssBytes)
  }
  const most = Math.max(1, ...highest)
  // A stretch without a sample is as the one before.
  let last = 0
  const bars = highest.map((bytes) => {
    last = bytes || last
    return BARS[Math.round((last / most) * (BARS.length - 1))] ?? ''
  })
  return `${bars.join('')} ${formatDuration(oldest.secondsAgo * 1000)}, up to ${formatBytes(most)}`
}

const linesOfCollections = ({ collections }: Dump, { width }: TextStyle): readonly string[] =>
  collections === undefined
    ? []
    : collectionLines(collections).flatMap((line) => wrap(visible(line, 400), width - 2))

function linesOf(facts: readonly Fact[], { width }: TextStyle): readonly string[] {
  return facts.flatMap(([name, text]) =>
    text === undefined ? [] : factLines(name, visible(text, 500), width),
  )
}

/** The parts of RSS with their shares; a bar shows at a glance which is the largest. */
export function reconciliationLines({ rows, rssBytes }: Reconciliation, style: TextStyle): readonly string[] {
  const cells = rows.slice(0, 20).map(({ what, bytes }) => {
    const share = rssBytes > 0 ? bytes / rssBytes : 0
    return [
      { text: formatBytes(bytes) },
      { text: formatShare(share) },
      { text: '█'.repeat(Math.round(share * 16)), paint: style.palette.cyan },
      { text: visible(what) },
    ]
  })
  return layOutTable(
    [
      { head: 'bytes', align: 'right' },
      { head: 'of RSS', align: 'right' },
      { head: '', align: 'left' },
      { head: `RSS ${formatBytes(rssBytes)}`, align: 'left', gives: true },
    ],
    cells,
    { ...style, width: style.width - 2 },
  )
}
