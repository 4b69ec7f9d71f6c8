import { ANONYMOUS_KINDS, type MapKind, type MapRow } from '../model.ts'
import { type Mapping, parseMapsLine } from './maps.ts'

/** More rows than this are folded by kind: a process with 60,000 mappings of its own temporary files. */
const MAX_ROWS = 2000

/** /proc/PID/smaps, added up by kind and path, largest first. */
export function parseSmaps(text: string): MapRow[] {
  const entries = readEntries(text)
  const executables = new Set(
    entries.filter(({ mapping }) => isExecutable(mapping)).map(({ mapping }) => mapping.path),
  )
  const rows = new Map<string, MapRow>()
  for (const [at, { mapping, rssBytes, swapBytes }] of entries.entries()) {
    const neighbours = { before: entries[at - 1]?.mapping, after: entries[at + 1]?.mapping }
    const kind = kindOf(mapping, neighbours, executables)
    const path = isNameless(kind) || rows.size >= MAX_ROWS ? '' : mapping.path
    const key = `${kind} ${path}`
    const row = rows.get(key) ?? { kind, path, mappings: 0, rssBytes: 0, swapBytes: 0 }
    rows.set(key, {
      ...row,
      mappings: row.mappings + 1,
      rssBytes: row.rssBytes + rssBytes,
      swapBytes: row.swapBytes + swapBytes,
    })
  }
  return [...rows.values()].toSorted((a, b) => b.rssBytes - a.rssBytes)
}

type Entry = { readonly mapping: Mapping; rssBytes: number; swapBytes: number }

function readEntries(text: string): Entry[] {
  const entries: Entry[] = []
  for (const line of text.split('\n')) {
    const mapping = parseMapsLine(line)
    if (mapping) entries.push({ mapping, rssBytes: 0, swapBytes: 0 })
    const entry = entries.at(-1)
    const [, name, kibibytes] = /^(Rss|Swap): +(\d+) kB/.exec(line) ?? []
    if (!entry || kibibytes === undefined) continue
    if (name === 'Rss') entry.rssBytes = Number(kibibytes) * 1024
    else entry.swapBytes = Number(kibibytes) * 1024
  }
  return entries
}

const isExecutable = ({ permissions, path }: Mapping): boolean =>
  permissions.includes('x') && path.startsWith('/')

const isNameless = (kind: MapKind): boolean =>
  ANONYMOUS_KINDS.includes(kind) && kind !== 'heap' && kind !== 'stack'

type Neighbours = { readonly before: Mapping | undefined; readonly after: Mapping | undefined }

function kindOf(mapping: Mapping, neighbours: Neighbours, executables: ReadonlySet<string>): MapKind {
  const { path, isDeleted } = mapping
  if (path === '[heap]') return 'heap'
  if (path.startsWith('[stack')) return 'stack'
  if (path === '' || path.startsWith('[anon:')) return anonymousKind(mapping, neighbours)
  if (path.startsWith('[')) return 'kernel'
  if (/^\/(dev\/shm\/|dev\/zero|SYSV|memfd:|anon_hugepage)/.test(path)) return 'shared-memory'
  if (/^(?:\/dev\/(?:nvidia|dri\/|kfd)|anon_inode:)/.test(path)) return 'device'
  if (executables.has(path)) return 'executable'
  return isDeleted ? 'deleted-file' : 'file'
}

/** glibc's HEAP_MAX_SIZE: an arena begins at a multiple of it, and reserves what follows up to the next. */
const ARENA_BYTES = 64 * 2 ** 20
/** A thread's stack has a guard below it of a page, more where the program says so. */
const MOST_GUARD_BYTES = 64 * 1024

function anonymousKind({ start, end, permissions }: Mapping, { before, after }: Neighbours): MapKind {
  if (!permissions.startsWith('rw-')) return 'anonymous'
  const isReserved = after?.start === end && after.permissions.startsWith('---')
  const bytes = end - start
  if (start % ARENA_BYTES === 0 && (bytes === ARENA_BYTES || (isReserved && bytes < ARENA_BYTES)))
    return 'malloc-arena'
  const isGuarded =
    before?.end === start &&
    before.permissions.startsWith('---') &&
    before.end - before.start <= MOST_GUARD_BYTES
  return isGuarded ? 'thread-stack' : 'anonymous'
}
