import type { Dump, Findings, Reconciliation } from '../model.ts'
import { censusSections } from './census-text.ts'
import { captureFacts, processFacts, type Fact } from './dump-facts.ts'
import { collectionLines } from './collections-text.ts'
import { formatBytes, formatShare } from './format.ts'
import { layOutTable, type TextStyle, wrap } from './layout.ts'
import { factLines, sectionLines, type Section } from './section.ts'
import { verdictLines } from './verdict-text.ts'
import { visible } from './visible.ts'

/** Everything that a dump says, the verdict first. */
export function renderShow(dump: Dump, findings: Findings, style: TextStyle): string {
  const sections: readonly Section[] = [
    { head: 'Process', lines: linesOf(processFacts(dump, findings), style) },
    { head: 'Capture', lines: linesOf(captureFacts(dump), style) },
    { head: 'Where the memory is', lines: reconciliationLines(findings.reconciliation, style) },
    ...censusSections(dump, findings, style),
    { head: 'Collections meanwhile', lines: linesOfCollections(dump, style) },
  ]
  return `${[...verdictLines(findings, style), ...sections.flatMap((section) => sectionLines(section, style))].join('\n')}\n`
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
