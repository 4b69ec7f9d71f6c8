import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { findGroupId } from './group.ts'
import { explainIoError, storeFailed, type StoreFailed } from './io-failure.ts'
import type { StorePlace } from './place.ts'
import { findUnsafe } from './safe-place.ts'
import { makeDirectory } from './write-safely.ts'

/**
 * Makes the store's directory at start when it is not there; a value says why it cannot be made, or must not be used
 * because others could write there.
 */
export async function prepareStore(place: StorePlace): Promise<StoreFailed | undefined> {
  // It may well be a symbolic link to a bigger disk.
  const found = await stat(place.dir).catch(() => undefined)
  try {
    if (found?.isDirectory() !== true) {
      await mkdir(dirname(place.dir), { recursive: true })
      await makeDirectory(place.dir, await findGroupId(place.groupFile, 'pyheap'))
    }
    const unsafe = await findUnsafe(place.dir, process.getuid?.() ?? 0)
    return unsafe === undefined ? undefined : storeFailed('unsafe', unsafe)
  } catch (error) {
    return explainIoError(error, `making the store ${place.dir}`)
  }
}
