import { closeSync, openSync, readSync } from 'node:fs'
import { processKey, type ProcessId } from '../model.ts'
import { parseStat } from '../proc/parse-stat.ts'
import { readSmall } from './read-proc.ts'

export type MemoryReading =
  | { readonly kind: 'read'; readonly virtualBytes: number; readonly rssBytes: number }
  | { readonly kind: 'gone' }
  /** Could not be read this time. */
  | { readonly kind: 'missing' }

/**
 * Reads the size of processes through descriptors that stay open: cheap, and never of a process that only got the same
 * pid, because the kernel answers ESRCH on the descriptor of a process that is gone.
 */
export class Sampler {
  readonly #procRoot: string
  readonly #pageBytes: number
  readonly #files = new Map<string, number>()
  readonly #buffer = Buffer.allocUnsafe(256)

  constructor({ procRoot, pageBytes }: { readonly procRoot: string; readonly pageBytes: number }) {
    this.#procRoot = procRoot
    this.#pageBytes = pageBytes
  }

  /** Begins to watch a process; says when it cannot. */
  watch(id: ProcessId): 'watched' | 'gone' | 'unreadable' {
    if (this.#files.has(processKey(id))) return 'watched'
    const directory = `${this.#procRoot}/${id.pid}`
    let fd: number
    try {
      fd = openSync(`${directory}/statm`, 'r')
    } catch (error) {
      return isGone(error) ? 'gone' : 'unreadable'
    }
    // Checked after opening: from here on the descriptor cannot change its process any more.
    const stat = parseStat(readSmall(`${directory}/stat`) ?? '')
    if (stat?.startTicks !== id.startTicks) {
      closeSync(fd)
      return 'gone'
    }
    this.#files.set(processKey(id), fd)
    return 'watched'
  }

  /** The size of a watched process now. */
  read(id: ProcessId): MemoryReading {
    const fd = this.#files.get(processKey(id))
    if (fd === undefined) return { kind: 'missing' }
    let length: number
    try {
      length = readSync(fd, this.#buffer, 0, this.#buffer.length, 0)
    } catch (error) {
      return { kind: isGone(error) ? 'gone' : 'missing' }
    }
    const pages = parsePages(this.#buffer, length)
    if (pages === undefined) return { kind: 'missing' }
    // A zombie has no memory left, and no process that lives has none.
    if (pages.total === 0) return { kind: 'gone' }
    return {
      kind: 'read',
      virtualBytes: pages.total * this.#pageBytes,
      rssBytes: pages.resident * this.#pageBytes,
    }
  }

  /** Stops watching a process. */
  drop(id: ProcessId): void {
    const fd = this.#files.get(processKey(id))
    if (fd === undefined) return
    this.#files.delete(processKey(id))
    closeSync(fd)
  }

  /** Stops watching all. */
  close(): void {
    for (const fd of this.#files.values()) closeSync(fd)
    this.#files.clear()
  }
}

const SPACE = 0x20
const ZERO = 0x30

/** The first two numbers of statm, without making a string of them. */
export const parsePages = (
  bytes: Buffer,
  length: number,
): { readonly total: number; readonly resident: number } | undefined => {
  let value = 0
  let total: number | undefined
  for (let at = 0; at < length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === SPACE) {
      if (total !== undefined) return { total, resident: value }
      total = value
      value = 0
    } else if (byte >= ZERO && byte <= ZERO + 9) {
      value = value * 10 + byte - ZERO
    } else {
      return undefined
    }
  }
  return undefined
}

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'ENOENT')
