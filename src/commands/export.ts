import { createWriteStream } from 'node:fs'
import { setPriority } from 'node:os'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { foldGraph } from '../analyse/graph/fold.ts'
import type { Dump } from '../model.ts'
import { renderHeapsnapshot } from '../report/export/heapsnapshot.ts'
import { renderMeliae } from '../report/export/meliae.ts'
import { renderPprof } from '../report/export/pprof.ts'
import { EXIT } from './exit-codes.ts'
import { findDump } from './find-dump.ts'
import { NICENESS, readGraphOf } from './graph.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export const EXPORT_FORMATS = ['heapsnapshot', 'pprof', 'pprof-allocations', 'meliae'] as const
type Format = (typeof EXPORT_FORMATS)[number]

export type ExportOptions = CommonOptions & {
  readonly format: string
  readonly output?: string
  readonly nodes: string
}

/** `pyheapctl export DUMP --format …`: a dump for other people's tools. */
export async function exportCommand(
  argument: string,
  options: ExportOptions,
  terminal: Terminal,
): Promise<number> {
  const format = EXPORT_FORMATS.find((known) => known === options.format)
  const nodes = Number(options.nodes)
  if (format === undefined) {
    terminal.err(`--format: ${options.format} is not one of ${EXPORT_FORMATS.join(', ')}`)
    return EXIT.usage
  }
  if (!Number.isInteger(nodes) || nodes < 1) {
    terminal.err(`--nodes: ${options.nodes} is not a number of objects`)
    return EXIT.usage
  }
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const dump = await findDump(settings.store, argument, terminal, ['graph.gz'])
  if (typeof dump === 'number') return dump
  setPriority(NICENESS)
  const content = await render(dump, { format, nodes }, terminal)
  if (typeof content === 'number') return content
  return write(content, { isCompressed: format.startsWith('pprof'), output: options.output }, terminal)
}

async function render(
  dump: Dump,
  { format, nodes }: { readonly format: Format; readonly nodes: number },
  terminal: Terminal,
): Promise<Iterable<string | Uint8Array> | number> {
  if (format === 'pprof' || format === 'pprof-allocations') {
    const profile = renderPprof(dump, format === 'pprof' ? 'owners' : 'allocations')
    if (profile !== undefined) return [profile]
    terminal.err(
      dump.census === undefined
        ? `${dump.id} has no census`
        : `${dump.id} has no allocation sites: tracemalloc did not run in the service (a rule may start it: action: trace)`,
    )
    return EXIT.notFound
  }
  const graph = await readGraphOf(dump, terminal)
  if (typeof graph === 'number') return graph
  if (format === 'meliae') return renderMeliae(graph)
  const folded = foldGraph(graph, nodes)
  if (folded.objects.length - 1 < graph.objects)
    terminal.err(
      `${graph.objects} objects are told as ${folded.objects.length - 1} where most is kept (--nodes); ` +
        'the others are part of those that keep them',
    )
  return renderHeapsnapshot(dump, folded)
}

async function write(
  content: Iterable<string | Uint8Array>,
  { isCompressed, output }: { readonly isCompressed: boolean; readonly output: string | undefined },
  terminal: Terminal,
): Promise<number> {
  if (output === undefined && process.stdout.isTTY) {
    terminal.err('this is no text for a terminal: name a file with --output, or send it into a pipe')
    return EXIT.usage
  }
  const target =
    output === undefined || output === '-' ? process.stdout : createWriteStream(output, { mode: 0o640 })
  try {
    const source = Readable.from(content, { objectMode: true })
    await (isCompressed ? pipeline(source, createGzip(), target) : pipeline(source, target))
    return EXIT.ok
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EPIPE') return EXIT.ok
    terminal.err(`cannot write ${output ?? 'the answer'}: ${message}`)
    return EXIT.output
  }
}
