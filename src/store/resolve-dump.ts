import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { partialSuffix } from './layout.ts'
import { findNearNames } from './near-names.ts'
import { dumpId, listDumps, readManifest, type DumpEntry } from './read-dumps.ts'

/** What an operator's DUMP argument means. */
export type Resolved =
  | { readonly kind: 'found'; readonly dump: DumpEntry }
  | { readonly kind: 'not-found'; readonly detail: string; readonly near: readonly string[] }
  /** The store, or all that is in it, cannot be read. */
  | { readonly kind: 'unreadable'; readonly detail: string }
  | { readonly kind: 'ambiguous'; readonly ids: readonly string[] }

/** Finds the dump that `path`, `target/name`, `name`, `PID`, `target` or `latest` means. */
export async function resolveDump(storeDir: string, argument: string): Promise<Resolved> {
  if (isAbsolute(argument) || /^\.\.?\//.test(argument)) return resolvePath(argument)
  const { dumps, problems } = await listDumps(storeDir)
  const [problem] = problems
  if (dumps.length === 0 && problem !== undefined)
    return { kind: 'unreadable', detail: `${problem.file}: ${problem.detail}` }
  const inStore = chooseDump(dumps, argument)
  if (inStore.kind !== 'not-found' || !argument.includes('/')) return inStore
  const byPath = await resolvePath(argument)
  return byPath.kind === 'found' ? byPath : inStore
}

async function resolvePath(argument: string): Promise<Resolved> {
  const path = resolve(basename(argument) === 'dump.json' ? dirname(argument) : argument)
  if (path.endsWith(partialSuffix)) {
    return { kind: 'not-found', detail: `${path} was never finished`, near: [] }
  }
  const manifest = await readManifest(path)
  if (manifest.kind === 'unreadable') {
    return { kind: 'not-found', detail: `${manifest.file}: ${manifest.detail}`, near: [] }
  }
  return { kind: 'found', dump: { id: dumpId(path), path, manifest: manifest.value } }
}

/** The same among dumps that are listed already, newest first. */
export function chooseDump(dumps: readonly DumpEntry[], argument: string): Resolved {
  const newest = dumps[0]
  if (newest === undefined) return { kind: 'not-found', detail: 'the store holds no dumps', near: [] }
  if (argument === 'latest') return { kind: 'found', dump: newest }

  const exact = dumps.find((dump) => dump.id === argument)
  if (exact !== undefined) return { kind: 'found', dump: exact }
  // Newest first, so the first is the one that a person means who says only whose dump it is.
  const ofTarget = dumps.find((dump) => targetOf(dump) === argument)
  const ofPid = dumps.find((dump) => String(dump.manifest.process.pid) === argument)
  const byName = dumps.filter((dump) => isNameOrItsBeginning(dump, argument))
  const meant = [...new Set([ofTarget, ofPid, ...byName].filter((dump) => dump !== undefined))]

  const [first, ...others] = meant
  if (first === undefined) {
    return { kind: 'not-found', detail: `no dump is called ${argument}`, near: nearNames(dumps, argument) }
  }
  if (others.length === 0) return { kind: 'found', dump: first }
  return { kind: 'ambiguous', ids: meant.slice(0, 20).map((dump) => dump.id) }
}

const targetOf = (dump: DumpEntry): string => dirname(dump.id)

// `20261121T23` and `api/20261121T23`: at least the day, so that a pid is never taken for a date.
const isNameOrItsBeginning = (dump: DumpEntry, argument: string): boolean =>
  /^(?:[^/]+\/)?\d{8}T/.test(argument) &&
  (dump.id.startsWith(argument) || basename(dump.id).startsWith(argument))

function nearNames(dumps: readonly DumpEntry[], argument: string): readonly string[] {
  const names = dumps.flatMap((dump) => [targetOf(dump), dump.id, String(dump.manifest.process.pid)])
  return findNearNames(argument, [...new Set(names)], 3)
}
