import type { CaptureFailed } from '../model.ts'
import { GdbSession } from './gdb-session.ts'
import type { OpenGdb } from './open-gdb.ts'

/** Who was near a threshold is likely to be so again. */
const LINGER_MS = 5 * 60_000
/** One that ends by itself at once would otherwise be started in every turn. */
const RESTART_AFTER_MS = 10_000

/** Keeps one gdb ready, with nothing attached, as long as a capture may be wanted soon. */
export class WarmGdb {
  readonly #open: OpenGdb
  #opening: Promise<GdbSession | CaptureFailed> | undefined
  #ready: GdbSession | undefined
  #openedMs = Number.NEGATIVE_INFINITY
  #wantedMs = Number.NEGATIVE_INFINITY

  constructor(open: OpenGdb) {
    this.#open = open
  }

  /**
   * To be told every turn whether a capture may be wanted soon: starts one, replaces one that has died, ends one.
   * Answers whether it has started one now.
   */
  keep(isWanted: boolean, nowMs: number): boolean {
    if (isWanted) this.#wantedMs = nowMs
    if (nowMs - this.#wantedMs > LINGER_MS) void this.close()
    if (this.#ready?.hasEnded === true) this.#opening = undefined
    const mustStart = isWanted && !this.#opening && nowMs - this.#openedMs > RESTART_AFTER_MS
    if (mustStart) this.#start(nowMs)
    return mustStart
  }

  #start(nowMs: number): void {
    this.#openedMs = nowMs
    this.#ready = undefined
    const opening = this.#open()
    this.#opening = opening
    void opening.then((gdb) => {
      if (this.#opening !== opening) return
      if (gdb instanceof GdbSession) this.#ready = gdb
      else this.#opening = undefined // the capture itself will tell why
    })
  }

  /** The one that is ready, or a new one; it is the taker's from now on. */
  readonly take: OpenGdb = async () => {
    const opening = this.#opening
    this.#forget()
    const gdb = await opening
    return gdb instanceof GdbSession && !gdb.hasEnded ? gdb : this.#open()
  }

  /** Ends the one that is ready, if there is one. */
  async close(): Promise<void> {
    const opening = this.#opening
    this.#forget()
    const gdb = await opening
    if (gdb instanceof GdbSession) await gdb.close()
  }

  #forget(): void {
    this.#opening = undefined
    this.#ready = undefined
    this.#openedMs = Number.NEGATIVE_INFINITY
  }
}
