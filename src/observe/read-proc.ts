import { closeSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** What is enough for every small file of /proc and of a cgroup. */
export const smallFileBytes = 64 * 1024

const shared = Buffer.allocUnsafe(smallFileBytes)

/** The beginning of a file that the kernel makes up without waiting for anyone; undefined when it cannot be read. */
export const readSmall = (path: string): string | undefined => {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    return shared.toString('utf8', 0, fill(fd))
  } catch {
    // Gone, forbidden, not in this kernel: for the caller all the same, it has no value.
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

// The kernel hands out some of its files by the page, so one read may be short of the end.
const fill = (fd: number): number => {
  let length = 0
  while (length < shared.length) {
    const read = readSync(fd, shared, length, shared.length - length, null)
    if (read === 0) break
    length += read
  }
  return length
}

/**
 * Hands a file to `take` piece by piece until it answers true, the file ends or `maxBytes` are read. For files that touch
 * the memory or the file system of the process they describe: these can block, which must not block the daemon.
 */
export const readPieces = async (
  path: string,
  maxBytes: number,
  take: (piece: Buffer) => boolean,
): Promise<void> => {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(Math.min(maxBytes, smallFileBytes))
    for (let left = maxBytes; left > 0;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(left, buffer.length), null)
      if (bytesRead === 0 || take(buffer.subarray(0, bytesRead))) return
      left -= bytesRead
    }
  } finally {
    await file.close()
  }
}
