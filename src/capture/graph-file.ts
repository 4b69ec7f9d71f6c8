import { createWriteStream, rmSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

/** A graph of 10 million objects has 120 MB of records; more than this is no service's heap. */
const MOST_BYTES = 64 * 2 ** 30
const LOOK_EVERY_BYTES = 16 * 2 ** 20

/** A graph as it comes out of a snapshot, on its way to the disk. */
export type GraphFile = {
  readonly write: (bytes: Buffer) => boolean
  /** Calls back whenever more may be written after `write` has answered false. */
  readonly onDrain: (resume: () => void) => void
  /** Why no more is written, if so. */
  readonly problem: () => string | undefined
  /** Keeps the file if it is whole, else removes it; answers why there is none. */
  readonly close: (isWhole: boolean) => Promise<string | undefined>
}

/** Opens a file that the graph is compressed into; `reserveBytes` stay free on its disk. */
export function openGraphFile(path: string, reserveBytes: number): GraphFile {
  // Level 1: the snapshot waits for us, and what it waits for it holds in memory.
  const gzip = createGzip({ level: 1, chunkSize: 256 * 1024 })
  const file = createWriteStream(path, { flags: 'wx', mode: 0o640, highWaterMark: 2 ** 20 })
  let problem: string | undefined
  let written = 0
  let lookedAt = -LOOK_EVERY_BYTES
  const fail = (why: string): void => {
    problem ??= why
  }
  file.on('error', (error) => fail(`writing it failed: ${error.message}`))
  gzip.on('error', (error) => fail(`compressing it failed: ${error.message}`))
  gzip.pipe(file)
  const closed = Promise.allSettled([finished(gzip), finished(file)])
  return {
    write: (bytes) => {
      if (problem !== undefined) return true
      written += bytes.length
      if (written > MOST_BYTES) fail(`it has more than ${MOST_BYTES} bytes`)
      if (written - lookedAt >= LOOK_EVERY_BYTES) {
        lookedAt = written
        const free = freeBytes(path)
        if (free < reserveBytes + LOOK_EVERY_BYTES)
          fail(`the disk is full: ${free} bytes are free, and ${reserveBytes} are kept by store.reserve`)
      }
      return problem !== undefined || gzip.write(bytes)
    },
    onDrain: (resume) => {
      gzip.on('drain', resume)
      for (const stream of [gzip, file]) stream.on('error', resume)
    },
    problem: () => problem,
    close: async (isWhole) => {
      if (isWhole && problem === undefined) gzip.end()
      else for (const stream of [gzip, file]) stream.destroy()
      await closed
      if (!isWhole || problem !== undefined) rmSync(path, { force: true })
      return problem
    },
  }
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path))
  return bavail * bsize
}
