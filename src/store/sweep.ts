import { lstat, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { processKey, type DumpManifest } from '../model.ts'
import type { Unreadable } from './bounded-read.ts'
import { unreadable } from './bounded-read.ts'
import { chooseExpired, type KeepLimits, type KeptDump } from './expire.ts'
import { parseDumpName, parsePartialName, partialSuffix } from './layout.ts'
import { isPinned } from './pin.ts'
import type { StorePlace } from './place.ts'
import { listDumpPlaces, readManifest } from './read-dumps.ts'
import { isSent } from './unsent-dumps.ts'
import { readUploadRecord } from './upload-record.ts'
import { isWriterAlive, writerFile } from './writer.ts'

/** What a sweep removed, and what it could not. */
export type Swept = {
  readonly removed: readonly { readonly id: string; readonly bytes: number }[]
  readonly problems: readonly Unreadable[]
}

/**
 * Drops what is beyond the limits; call it after a successful capture only, or old evidence goes for a failed one. Where
 * dumps are sent somewhere, those that are not there yet stay as long as there is room.
 */
export async function sweepStore(
  storeDir: string,
  keep: KeepLimits,
  nowMs: number,
  sentTo?: string,
): Promise<Swept> {
  const { kept, problems } = await describeDumps(storeDir, sentTo)
  return removeAll(storeDir, chooseExpired(kept, keep, nowMs), problems)
}

/** Drops what a place has been found to have whole, but for the newest of each target and what it is compared with. */
export async function dropSent(storeDir: string, place: string, nowMs: number): Promise<Swept> {
  const { kept, problems } = await describeDumps(storeDir, place)
  return removeAll(storeDir, chooseExpired(kept, { perTarget: 1 }, nowMs), problems)
}

async function describeDumps(storeDir: string, sentTo: string | undefined) {
  const { places, problem } = await listDumpPlaces(storeDir)
  const kept: KeptDump[] = []
  for (const { id, path } of places) {
    const described = await describeDump(id, path)
    const isUnsent = sentTo !== undefined && !isSent(await readUploadRecord(path), sentTo)
    kept.push({ ...described, isUnsent })
  }
  return { kept, problems: problem === undefined ? [] : [problem] }
}

async function removeAll(
  storeDir: string,
  expired: readonly KeptDump[],
  before: readonly Unreadable[],
): Promise<Swept> {
  const removed: { id: string; bytes: number }[] = []
  const problems = [...before]
  for (const { id, bytes } of expired) {
    const failure = await removeDump(join(storeDir, id))
    if (failure === undefined) removed.push({ id, bytes })
    else problems.push(failure)
  }
  return { removed, problems }
}

// A dump with a broken manifest fills the disk like any other, so its name must do.
async function describeDump(id: string, path: string): Promise<KeptDump> {
  const manifest = await readManifest(path)
  const name = parseDumpName(id.slice(dirname(id).length + 1))
  const described = manifest.kind === 'valid' ? manifest.value : undefined
  return {
    id,
    target: dirname(id),
    startedMs: Date.parse(described?.started_at ?? name?.at ?? ''),
    bytes: await measureDirectory(path),
    process: described === undefined ? id : keyOf(described),
    isBaseline: described?.fired.kind === 'baseline',
    isPinned: await isPinned(path),
  }
}

const keyOf = ({ process }: DumpManifest): string =>
  processKey({ bootId: process.boot_id, pid: process.pid, startTicks: process.start_ticks })

async function measureDirectory(path: string): Promise<number> {
  const names = await readdir(path).catch(() => [])
  const sizes = await Promise.all(
    names.slice(0, 1000).map((name) =>
      lstat(join(path, name)).then(
        (stat) => stat.size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

// Renamed first: a directory without the suffix is complete at every moment, also while it goes.
async function removeDump(path: string): Promise<Unreadable | undefined> {
  try {
    await rename(path, path + partialSuffix)
    await rm(path + partialSuffix, { recursive: true })
    return undefined
  } catch (error) {
    return unreadable(path, error instanceof Error ? error.message : String(error))
  }
}

/** Removes the unfinished dumps of writers that are no more; names that are not ours are left alone. */
export async function cleanLeftovers(place: StorePlace): Promise<Swept> {
  const removed: { id: string; bytes: number }[] = []
  const problems: Unreadable[] = []
  for (const id of await listPartials(place.dir)) {
    const path = join(place.dir, id)
    // Without a name the writer died between its first two system calls, or the directory was on its way out.
    const key = await readFile(join(path, writerFile), 'latin1').catch(() => '')
    if (await isWriterAlive(place.procRoot, key)) continue
    const bytes = await measureDirectory(path)
    const failure = await rm(path, { recursive: true }).catch((error: unknown) =>
      unreadable(path, String(error)),
    )
    if (failure === undefined) removed.push({ id, bytes })
    else problems.push(failure)
  }
  return { removed, problems }
}

async function listPartials(storeDir: string): Promise<readonly string[]> {
  const ids: string[] = []
  for (const target of await readdir(storeDir).catch(() => [])) {
    const entries = await readdir(join(storeDir, target), { withFileTypes: true }).catch(() => [])
    const ours = entries.filter((entry) => entry.isDirectory() && parsePartialName(entry.name) !== undefined)
    ids.push(...ours.map((entry) => `${target}/${entry.name}`))
  }
  return ids
}
