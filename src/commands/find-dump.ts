import { analyse } from '../analyse/analyse.ts'
import type { Dump, Findings } from '../model.ts'
import { findBaseline } from '../store/find-baseline.ts'
import { listDumps, readDump, readFindings } from '../store/read-dumps.ts'
import { resolveDump } from '../store/resolve-dump.ts'
import type { LargeFileName } from '../store/dump-files.ts'
import { EXIT } from './exit-codes.ts'
import type { OpenStore } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** Finds and reads the dump that an argument means, with these large files; when it cannot, tells why and answers the exit code. */
export async function findDump(
  store: OpenStore,
  argument: string,
  terminal: Terminal,
  large: readonly LargeFileName[] = [],
): Promise<Dump | number> {
  const resolved = await resolveDump(store.dir, argument)
  if (resolved.kind !== 'found') return tellUnresolved(resolved, argument, terminal)
  const problem = await store.fetch?.(resolved.dump.path, large)
  if (problem !== undefined) {
    terminal.err(`${resolved.dump.id} cannot be fetched: ${problem}`)
    return EXIT.store
  }
  const read = await readDump(resolved.dump.path)
  if (read.kind === 'read') return read.dump
  terminal.err(`${read.file}: ${read.detail}`)
  return EXIT.store
}

/** Tells why an argument means no dump; answers the exit code. */
export function tellUnresolved(
  resolved: Exclude<Awaited<ReturnType<typeof resolveDump>>, { readonly kind: 'found' }>,
  argument: string,
  terminal: Terminal,
): number {
  switch (resolved.kind) {
    case 'not-found': {
      const near = resolved.near.length === 0 ? '' : `\ndid you mean ${resolved.near.join(' or ')}?`
      terminal.err(`${resolved.detail}${near}`)
      return EXIT.notFound
    }
    case 'unreadable':
      terminal.err(resolved.detail)
      return EXIT.store
    case 'ambiguous':
      terminal.err(`${argument} may mean:\n  ${resolved.ids.join('\n  ')}`)
      return EXIT.usage
    default:
      return resolved satisfies never
  }
}

/**
 * What a dump says. It was worked out when the dump was taken, against the newest dump before it; a dump that has lost
 * its findings is judged again.
 */
export async function findingsOf(dump: Dump, storeDir: string): Promise<Findings> {
  const stored = await readFindings(dump.path)
  if (stored.kind === 'valid') return stored.value
  const { target, process } = dump.manifest
  const { dumps } = await listDumps(storeDir, target, process.pid)
  const before = findBaseline(dump, dumps)
  const read = before && (await readDump(before.path))
  return analyse(dump, read?.kind === 'read' ? read.dump : undefined)
}
