import type { Census, Dump, Findings } from '../../model.ts'
import { collectionLines } from '../collections-text.ts'
import { captureFacts, processFacts } from '../dump-facts.ts'
import { factList, phaseBars, pythonFacts } from './facts.ts'
import { largestTable, ownersTable, sitesTable, typesTable } from './heap-tables.ts'
import { historyChart } from './history-chart.ts'
import { renderDocument, type PageAssets } from './document.ts'
import { html, nothing, type Markup } from './markup.ts'
import { memoryBar } from './memory-bar.ts'
import { section } from './section.ts'
import { stacksOf } from './stacks.ts'
import { ownerTreemap, typeTreemap } from './treemap.ts'
import { verdictOf } from './verdict.ts'

/** One dump as a page that needs nothing else. `eyebrow` leads to where it was come from, if there is such a place. */
export function renderPage(dump: Dump, findings: Findings, assets: PageAssets, eyebrow?: Markup): string {
  const { manifest } = dump
  const title = `${manifest.target}, pid ${manifest.process.pid}, ${manifest.started_at.slice(0, 19)}Z`
  const main = html`${verdictOf(findings)}
  ${section('history', 'Resident memory over time (UTC)', historyChart(dump, startOf(findings.baseline)))}
  ${section('memory', 'What the resident memory is made of', memoryBar(findings.reconciliation))}
  ${heapSections(dump.census, findings)}
  ${section('collections', 'Collections meanwhile', collectionsOf(dump))}
  ${section('process', 'Process', factList(processFacts(dump, findings)))}
  ${section('capture', 'How it was captured, and what that cost', html`${factList(captureFacts(dump).filter(([name]) => name !== 'phases'))}${phaseBars(dump)}`)}`
  return renderDocument({ title, eyebrow, main }, assets)
}

function heapSections(census: Census | undefined, findings: Findings): Markup {
  if (census === undefined) return nothing
  const compared = findings.baseline === undefined ? 'Types, by size' : 'Types, by growth'
  return html`${section('owners', 'Who holds the heap', withPicture(ownerTreemap(census, findings), ownersTable(census)))}
  ${section('types', compared, withPicture(typeTreemap(census), typesTable(census, findings)))}
  ${section('allocated', 'Where it was allocated', sitesTable(findings.allocated))}
  ${section('largest', 'Largest objects', largestTable(census))}
  ${section('stacks', 'What it was doing', stacksOf(census.stacks))}
  ${section('python', 'Interpreter', factList(pythonFacts(census)))}
  ${section('left-out', 'Left out of the census', problemsOf(census.problems))}`
}

const withPicture = (picture: Markup, table: Markup): Markup =>
  table.markup === '' ? nothing : html`${picture}${table}`

const problemsOf = (problems: readonly string[]): Markup =>
  problems.length === 0
    ? nothing
    : html`<ul>
        ${problems.slice(0, 50).map((text) => html`<li>${text}</li>`)}
      </ul>`

/** A dump's name begins with the second in which it was taken: 20261121T122000Z. */
function startOf(id: string | undefined): number | undefined {
  const found = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(id ?? '')
  if (found === null) return undefined
  const [, year, month, day, hour, minute, second] = found
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(at) ? undefined : at
}

const collectionsOf = ({ collections }: Dump): Markup =>
  collections === undefined
    ? nothing
    : html`${collectionLines(collections).map((line) => html`<p>${line}</p>`)}`
