import { closeSync, constants, openSync, readSync } from 'node:fs'
import { type LoggedKill, parseOomKill } from './oom-kill.ts'

/** A record is never longer. */
const RECORD_BYTES = 8192
/** More than the log ever holds: a bound against one that is written faster than it is read. */
const MAX_RECORDS = 200_000
/** Kills that are remembered; the oldest are forgotten. */
const MAX_KILLS = 1024

/** Kills by the OOM killer as the kernel's log tells them; none where the log may not be read (CAP_SYSLOG). */
export class KernelLog {
  readonly #fd: number | undefined
  readonly #kills = new Map<number, LoggedKill>()

  constructor(file: string) {
    try {
      this.#fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch {
      this.#fd = undefined
    }
  }

  /** The newest kill of this pid. */
  killOf(pid: number): LoggedKill | undefined {
    this.#readOn()
    return this.#kills.get(pid)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }

  #readOn(): void {
    const bytes = Buffer.alloc(RECORD_BYTES)
    for (let records = 0; this.#fd !== undefined && records < MAX_RECORDS; records++) {
      const record = readRecord(this.#fd, bytes)
      if (record === 'end') return
      const killed = record === 'overwritten' ? undefined : parseOomKill(record)
      if (killed === undefined) continue
      this.#kills.delete(killed.kill.pid)
      this.#kills.set(killed.kill.pid, killed)
      const [oldest] = this.#kills.keys()
      if (this.#kills.size > MAX_KILLS && oldest !== undefined) this.#kills.delete(oldest)
    }
  }
}

function readRecord(fd: number, bytes: Buffer): string {
  try {
    const size = readSync(fd, bytes)
    return size === 0 ? 'end' : bytes.toString('utf8', 0, size).split('\n', 1).join('')
  } catch (error) {
    // EPIPE: the record was overwritten before it was read; the next one is there.
    return (error as NodeJS.ErrnoException).code === 'EPIPE' ? 'overwritten' : 'end'
  }
}
