import { setPriority } from 'node:os'
import { analyseGraph } from '../analyse/graph/analyse-graph.ts'
import { compareGraphs } from '../analyse/graph/compare-graphs.ts'
import type { Dump, GraphFindings, HeapGraph } from '../model.ts'
import { formatCount, formatShare } from '../report/format.ts'
import { renderGraph } from '../report/graph-text.ts'
import { readGraph } from '../store/graph/read-graph.ts'
import { EXIT } from './exit-codes.ts'
import { findDump } from './find-dump.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

export type GraphOptions = CommonOptions & { readonly against?: string }

/** Nice enough that a service on the same machine goes first. */
export const NICENESS = 15

/** `pyheapctl graph DUMP`: what retains how much, and how it is reached. */
export async function graphCommand(
  argument: string,
  options: GraphOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  setPriority(NICENESS)
  const analyseDump = async (name: string): Promise<Analysed | number> => {
    const dump = await findDump(settings.store, name, terminal, ['graph.gz'])
    return typeof dump === 'number' ? dump : analyseGraphOf(dump, terminal)
  }
  const after = await analyseDump(argument)
  if (typeof after === 'number') return after
  const before = options.against === undefined ? undefined : await analyseDump(options.against)
  if (typeof before === 'number') return before
  const growth = before && compareGraphs(before.findings, after.findings)
  if (options.json === true)
    terminal.out(
      JSON.stringify({ dump: after.dump.id, against: before?.dump.id, ...after.findings, growth }, null, 1),
    )
  else terminal.page(renderGraph(after.dump, after.findings, growth, styleOf(terminal)))
  return EXIT.ok
}

type Analysed = { readonly dump: Dump; readonly findings: GraphFindings }

/** The graph of a dump; when there is none that can be read, tells why and answers the exit code. */
export async function readGraphOf(dump: Dump, terminal: Terminal): Promise<HeapGraph | number> {
  if (!dump.manifest.files.some(({ name }) => name === 'graph.gz')) {
    terminal.err(
      `${dump.id} has no graph: capture one with \`pyheapctl capture PID --with graph\`, ` +
        'or add graph to `capture` of a rule',
    )
    return EXIT.notFound
  }
  const read = await readGraph(dump.path, (share) => terminal.progress(`reading ${formatShare(share)} …`))
  if (read.kind === 'unreadable') {
    terminal.err(`${read.file}: ${read.detail}`)
    return EXIT.store
  }
  return read.graph
}

async function analyseGraphOf(dump: Dump, terminal: Terminal): Promise<Analysed | number> {
  const graph = await readGraphOf(dump, terminal)
  if (typeof graph === 'number') return graph
  terminal.progress(`working out what retains what among ${formatCount(graph.objects)} objects …`)
  const findings = analyseGraph(graph)
  terminal.progress('')
  return { dump, findings }
}
