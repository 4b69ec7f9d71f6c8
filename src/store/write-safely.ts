import { lstat, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { errorCode, explainIoError, type StoreFailed } from './io-failure.ts'

/** Writes a new file with mode 0640 whatever the umask, on disk when this returns; a value says what failed. */
export async function writeFileSafely(
  path: string,
  data: Uint8Array,
  gid: number | undefined,
): Promise<StoreFailed | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'wx', 0o640)
    await handle.chmod(0o640)
    await giveToGroup(handle, gid)
    await handle.writeFile(data)
    await handle.sync()
    return undefined
  } catch (error) {
    return explainIoError(error, `writing ${path}`)
  } finally {
    await handle?.close().catch(() => undefined)
  }
}

/** Writes a file in place of the one that is there, in one step. */
export async function replaceFileSafely(
  path: string,
  text: string,
  gid: number | undefined,
): Promise<StoreFailed | undefined> {
  const draft = `${path}.new`
  try {
    await rm(draft, { recursive: true, force: true })
    const problem = await writeFileSafely(draft, Buffer.from(text), gid)
    if (problem) return problem
    await rename(draft, path)
    return undefined
  } catch (error) {
    return explainIoError(error, `writing ${path}`)
  }
}

/** Makes a directory with mode 0750 whatever the umask; one that is there already is left as it is. */
export async function makeDirectory(path: string, gid: number | undefined): Promise<'made' | 'existed'> {
  try {
    await mkdir(path, 0o750)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    if (!(await lstat(path)).isDirectory()) throw error
    return 'existed'
  }
  const handle = await open(path, 'r')
  try {
    await handle.chmod(0o750)
    await giveToGroup(handle, gid)
  } finally {
    await handle.close()
  }
  return 'made'
}

/** Sees a directory's entries safely to the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Only root and members may give a file to a group; another user's own store simply stays that user's. */
export async function giveToGroup(handle: FileHandle, gid: number | undefined): Promise<void> {
  if (gid === undefined) return
  const { uid } = await handle.stat()
  await handle.chown(uid, gid).catch((error: unknown) => {
    if (errorCode(error) !== 'EPERM') throw error
  })
}
