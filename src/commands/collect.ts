import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Dump } from '../model.ts'
import { packArchive } from '../store/archive/pack.ts'
import { formatBytes, formatCount } from '../report/format.ts'
import { EXIT } from './exit-codes.ts'
import { findDump } from './find-dump.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export type CollectOptions = CommonOptions & {
  readonly output: string
  readonly redact: readonly string[]
  readonly withSecrets?: boolean
  readonly core?: boolean
}

/** `pyheapctl collect DUMP… -o FILE.tar.gz`: dumps in one file, for a ticket. */
export async function collectCommand(
  names: readonly string[],
  options: CollectOptions,
  terminal: Terminal,
): Promise<number> {
  const patterns = compile(options.redact, terminal)
  if (patterns === undefined) return EXIT.usage
  if (!options.output.endsWith('.tar.gz')) {
    terminal.err(`--output: ${options.output} has to end with .tar.gz`)
    return EXIT.usage
  }
  if (existsSync(options.output)) {
    terminal.err(`${options.output} is there already, and is left as it is`)
    return EXIT.output
  }
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const chosen = new Map<string, Dump>()
  for (const name of names) {
    const dump = await findDump(settings.store, name, terminal, [
      'graph.gz',
      ...(options.core === true ? (['core'] as const) : []),
    ])
    if (typeof dump === 'number') return dump
    chosen.set(dump.path, dump)
  }
  try {
    const manifest = await packArchive([...chosen.values()], {
      file: options.output,
      withCore: options.core === true,
      redacting: options.withSecrets === true ? undefined : { patterns },
      createdAt: new Date().toISOString(),
    })
    if (options.json === true)
      terminal.out(JSON.stringify({ archive: resolve(options.output), ...manifest }, null, 1))
    else {
      for (const { id, redacted, left_out: leftOut, files } of manifest.dumps) {
        const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
        const without = leftOut.length === 0 ? '' : `, without ${leftOut.join(', ')}`
        terminal.err(`${id}: ${formatBytes(bytes)}${without}; secrets taken out: ${formatCount(redacted)}`)
      }
      terminal.out(resolve(options.output))
    }
    return EXIT.ok
  } catch (error) {
    terminal.err(`cannot write ${options.output}: ${error instanceof Error ? error.message : String(error)}`)
    return EXIT.output
  }
}

function compile(patterns: readonly string[], terminal: Terminal): readonly RegExp[] | undefined {
  try {
    return patterns.map((pattern) => new RegExp(pattern))
  } catch (error) {
    terminal.err(`--redact: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
