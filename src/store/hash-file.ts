import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

/** Size and sha256 of an open file, read piece by piece: a core may be larger than what can be read at once. */
export async function hashFile(
  handle: FileHandle,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of handle.createReadStream({ autoClose: false, highWaterMark: 2 ** 20 })) {
    bytes += (piece as Buffer).byteLength
    hash.update(piece as Buffer)
  }
  return { bytes, sha256: hash.digest('hex') }
}
