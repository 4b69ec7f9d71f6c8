import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Why a file of a dump could not be used, naming it. */
export type Unreadable = { readonly kind: 'unreadable'; readonly file: string; readonly detail: string }

export type ReadText = { readonly kind: 'text'; readonly text: string }

/** A value that says which file is of no use, and why. */
export const unreadable = (file: string, detail: string): Unreadable => ({ kind: 'unreadable', file, detail })

/** Reads a plain file of at most `maxBytes`; symbolic links, pipes and devices are refused. */
export async function readBounded(path: string, maxBytes: number): Promise<ReadText | Unreadable> {
  try {
    // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) return unreadable(path, 'is not a plain file')
      if (stat.size > maxBytes)
        return unreadable(path, `has ${stat.size} bytes, more than the ${maxBytes} allowed`)
      return { kind: 'text', text: await handle.readFile('utf8') }
    } finally {
      await handle.close()
    }
  } catch (error) {
    return unreadable(path, error instanceof Error ? error.message : String(error))
  }
}
