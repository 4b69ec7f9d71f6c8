import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import type { HeapGraph } from '../../model.ts'
import { unreadable, type Unreadable } from '../bounded-read.ts'
import { GraphDecoder } from './graph-decoder.ts'

export type ReadGraph = { readonly kind: 'graph'; readonly graph: HeapGraph }

/** Reads the graph of a dump; `onProgress` is told what share of its file was read. */
export async function readGraph(
  dumpPath: string,
  onProgress: (share: number) => void,
): Promise<ReadGraph | Unreadable> {
  const path = join(dumpPath, 'graph.gz')
  const decoder = new GraphDecoder()
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) return unreadable(path, 'is not a plain file')
      const file = handle.createReadStream({ highWaterMark: 2 ** 18, autoClose: false })
      const gunzip = createGunzip({ chunkSize: 2 ** 18 })
      file.on('error', (error) => gunzip.destroy(error))
      for await (const piece of file.pipe(gunzip)) {
        decoder.push(piece as Buffer)
        onProgress(file.bytesRead / stat.size)
        if (decoder.fault !== undefined) break
      }
    } finally {
      await handle.close()
    }
  } catch (error) {
    return unreadable(path, error instanceof Error ? error.message : String(error))
  }
  const decoded = decoder.end()
  return 'kind' in decoded ? unreadable(path, decoded.detail) : { kind: 'graph', graph: decoded }
}
