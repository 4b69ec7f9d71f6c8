import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { findGroupId } from './group.ts'
import { explainIoError, type StoreFailed } from './io-failure.ts'
import type { StorePlace } from './place.ts'
import { makeDirectory } from './write-safely.ts'

/** Makes the store's directory at start when it is not there; a value says why it cannot be made. */
export async function prepareStore(place: StorePlace): Promise<StoreFailed | undefined> {
  // It may well be a symbolic link to a bigger disk.
  const found = await stat(place.dir).catch(() => undefined)
  if (found?.isDirectory() === true) return undefined
  try {
    await mkdir(dirname(place.dir), { recursive: true })
    await makeDirectory(place.dir, await findGroupId(place.groupFile, 'pyheap'))
    return undefined
  } catch (error) {
    return explainIoError(error, `making the store ${place.dir}`)
  }
}
