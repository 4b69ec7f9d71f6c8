import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findGroupId } from './group.ts'
import type { StoreFailed } from './io-failure.ts'
import { explainIoError } from './io-failure.ts'
import type { StorePlace } from './place.ts'
import { writeFileSafely } from './write-safely.ts'

/** A file of this name in a dump keeps it from being expired. */
const PIN = 'pinned'

/** Whether a dump stays whatever the limits say. */
export const isPinned = (dumpPath: string): Promise<boolean> =>
  lstat(join(dumpPath, PIN)).then(
    () => true,
    () => false,
  )

/** Keeps a dump for good, with a word about why; one that is pinned already stays as it is. */
export async function pinDump(
  place: StorePlace,
  dumpPath: string,
  why: string,
): Promise<StoreFailed | undefined> {
  if (await isPinned(dumpPath)) return undefined
  const gid = await findGroupId(place.groupFile, 'pyheap')
  return writeFileSafely(join(dumpPath, PIN), Buffer.from(`${why}\n`), gid)
}

/** Lets a dump expire again. */
export async function unpinDump(dumpPath: string): Promise<StoreFailed | undefined> {
  try {
    await rm(join(dumpPath, PIN), { force: true })
    return undefined
  } catch (error) {
    return explainIoError(error, `unpinning ${dumpPath}`)
  }
}
