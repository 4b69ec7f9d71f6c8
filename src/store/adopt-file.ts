import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { hashFile } from './hash-file.ts'
import { errorCode, explainIoError, type StoreFailed } from './io-failure.ts'
import { giveToGroup } from './write-safely.ts'

export type Adopted = { readonly kind: 'adopted'; readonly bytes: number; readonly sha256: string }

/** Gives a file that somebody else wrote the mode and group of a dump's, sees it to the disk and says what is in it. */
export async function adoptFile(
  path: string,
  gid: number | undefined,
): Promise<Adopted | StoreFailed | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    await handle.chmod(0o640)
    await giveToGroup(handle, gid)
    await handle.sync()
    return { kind: 'adopted', ...(await hashFile(handle)) }
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? undefined : explainIoError(error, `reading ${path}`)
  } finally {
    await handle?.close()
  }
}
