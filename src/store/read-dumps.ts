import { readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { z } from 'zod'
import { CensusSchema } from '../census-schema.ts'
import type { Dump, DumpManifest, Ending, Findings } from '../model.ts'
import { readBounded, unreadable, type Unreadable } from './bounded-read.ts'
import { dumpFileLimits, type DumpFileName } from './dump-files.ts'
import {
  collectionsSchema,
  endingSchema,
  findingsSchema,
  manifestSchema,
  memoryMapSchema,
  outsideSchema,
} from './dump-format.ts'
import { parseDumpName } from './layout.ts'
import { isPinned } from './pin.ts'

/** A dump as a list shows it. */
export type DumpEntry = {
  /** `target/name` in the store. */
  readonly id: string
  readonly path: string
  readonly manifest: DumpManifest
  readonly ending?: Ending | undefined
  readonly isPinned?: boolean | undefined
}

export type DumpList = {
  /** Newest first. */
  readonly dumps: readonly DumpEntry[]
  /** Directories that are named like dumps and cannot be read as one. */
  readonly problems: readonly Unreadable[]
}

export type ReadDump = { readonly kind: 'read'; readonly dump: Dump }

/** Every complete dump in the store, or of one target in it, or of one pid there. */
export async function listDumps(storeDir: string, target?: string, pid?: number): Promise<DumpList> {
  const dumps: DumpEntry[] = []
  const problems: Unreadable[] = []
  const { places, problem } = await listDumpPlaces(storeDir)
  if (problem !== undefined) problems.push(problem)
  for (const { id, path } of places) {
    if (target !== undefined && dirname(id) !== target) continue
    if (pid !== undefined && parseDumpName(basename(id))?.pid !== pid) continue
    const manifest = await readManifest(path)
    if (manifest.kind === 'unreadable') problems.push(manifest)
    else {
      const more = { ending: await readEnding(path), isPinned: await isPinned(path) }
      dumps.push({ id, path, manifest: manifest.value, ...more })
    }
  }
  dumps.sort((a, b) => sortKey(b).localeCompare(sortKey(a), 'en'))
  return { dumps, problems }
}

const sortKey = (dump: DumpEntry): string => `${new Date(dump.manifest.started_at).toISOString()} ${dump.id}`

/** Where complete dumps lie, told by their names alone. */
export async function listDumpPlaces(storeDir: string): Promise<{
  readonly places: readonly { readonly id: string; readonly path: string }[]
  readonly problem?: Unreadable
}> {
  const targets = await listDirectories(storeDir)
  if (targets.kind === 'unreadable') return { places: [], problem: targets }
  const places: { id: string; path: string }[] = []
  for (const target of targets.names) {
    const found = await listDirectories(join(storeDir, target))
    if (found.kind === 'unreadable') continue
    const names = found.names.filter((name) => parseDumpName(name) !== undefined)
    places.push(...names.map((name) => ({ id: `${target}/${name}`, path: join(storeDir, target, name) })))
  }
  return { places }
}

async function listDirectories(
  path: string,
): Promise<{ readonly kind: 'names'; readonly names: string[] } | Unreadable> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    return { kind: 'names', names: entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name) }
  } catch (error) {
    return unreadable(path, error instanceof Error ? error.message : String(error))
  }
}

/** Reads what dump.json says. */
export const readManifest = (dumpPath: string): Promise<Valid<DumpManifest> | Unreadable> =>
  readFormat(dumpPath, 'dump.json', manifestSchema)

/** Reads a whole dump for analysis; parts that its manifest does not name are left out. */
export async function readDump(dumpPath: string): Promise<ReadDump | Unreadable> {
  const path = resolve(dumpPath)
  const manifest = await readManifest(path)
  if (manifest.kind === 'unreadable') return manifest
  const has = (name: DumpFileName): boolean => manifest.value.files.some((file) => file.name === name)

  const outside = await readFormat(path, 'outside.json', outsideSchema)
  if (outside.kind === 'unreadable') return outside
  const census = has('census.json') ? await readFormat(path, 'census.json', CensusSchema) : undefined
  if (census?.kind === 'unreadable') return census
  const memoryMap = has('memory-map.json')
    ? await readFormat(path, 'memory-map.json', memoryMapSchema)
    : undefined
  if (memoryMap?.kind === 'unreadable') return memoryMap

  const collections = has('collections.json')
    ? await readFormat(path, 'collections.json', collectionsSchema)
    : undefined
  if (collections?.kind === 'unreadable') return collections

  const dump: Dump = {
    id: dumpId(path),
    path,
    manifest: manifest.value,
    outside: outside.value,
    census: census?.value,
    memoryMap: memoryMap?.value,
    collections: collections?.value,
    ending: await readEnding(path),
  }
  return { kind: 'read', dump }
}

/** Reads how the process has ended, where that was noted; what cannot be read is not worth losing a dump for. */
async function readEnding(dumpPath: string): Promise<Ending | undefined> {
  const read = await readFormat(dumpPath, 'ending.json', endingSchema)
  return read.kind === 'valid' ? read.value : undefined
}

/** Reads the findings that were stored with a dump. */
export const readFindings = (dumpPath: string): Promise<Valid<Findings> | Unreadable> =>
  readFormat(dumpPath, 'findings.json', findingsSchema)

/** `target/name` of a dump by its path. */
export const dumpId = (dumpPath: string): string => `${basename(dirname(dumpPath))}/${basename(dumpPath)}`

/** What a file holds, when it is what it should be. */
export type Valid<T> = { readonly kind: 'valid'; readonly value: T }

async function readFormat<T>(
  dumpPath: string,
  name: DumpFileName,
  schema: z.ZodType<T>,
): Promise<Valid<T> | Unreadable> {
  const file = join(dumpPath, name)
  const read = await readBounded(file, dumpFileLimits[name])
  if (read.kind === 'unreadable') return read
  try {
    const parsed = schema.safeParse(JSON.parse(read.text))
    if (parsed.success) return { kind: 'valid', value: parsed.data }
    const issue = parsed.error.issues[0]
    return unreadable(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not what it should be'}`)
  } catch (error) {
    return unreadable(file, `is not JSON: ${String(error).slice(0, 200)}`)
  }
}
