import type { MapKind, MapRow } from '../model.ts'
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
  for (const { mapping, rssBytes, swapBytes } of entries) {
    const kind = kindOf(mapping, executables)
    const path = kind === 'anonymous' || rows.size >= MAX_ROWS ? '' : mapping.path
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

function kindOf(mapping: Mapping, executables: ReadonlySet<string>): MapKind {
  const { path, isDeleted } = mapping
  if (path === '[heap]') return 'heap'
  if (path.startsWith('[stack')) return 'stack'
  if (path === '' || path.startsWith('[anon:')) return 'anonymous'
  if (path.startsWith('[')) return 'kernel'
  if (/^\/(dev\/shm\/|dev\/zero|SYSV|memfd:|anon_hugepage)/.test(path)) return 'shared-memory'
  if (executables.has(path)) return 'executable'
  return isDeleted ? 'deleted-file' : 'file'
}
