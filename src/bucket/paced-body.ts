import { setTimeout as sleep } from 'node:timers/promises'

const PIECE_BYTES = 64 * 1024

/** Keeps what is sent below a rate, over all requests together. */
export class Pace {
  readonly #bytesPerMs: number
  readonly #now: () => number
  #freeAtMs = 0

  constructor(bytesPerMs: number, now: () => number = () => performance.now()) {
    this.#bytesPerMs = bytesPerMs
    this.#now = now
  }

  /** How long until so many more bytes may go; they count as gone then. */
  claimMs(bytes: number): number {
    const nowMs = this.#now()
    const startMs = Math.max(nowMs, this.#freeAtMs)
    this.#freeAtMs = startMs + bytes / this.#bytesPerMs
    return startMs - nowMs
  }

  /** A body that goes piece by piece, until the signal. */
  body(bytes: Uint8Array, signal: AbortSignal): ReadableStream<Uint8Array> {
    let at = 0
    return new ReadableStream({
      pull: async (controller) => {
        const piece = bytes.subarray(at, at + PIECE_BYTES)
        if (piece.length === 0) return controller.close()
        at += piece.length
        const waitMs = this.claimMs(piece.length)
        if (waitMs >= 1) await sleep(waitMs, undefined, { signal })
        controller.enqueue(piece)
      },
    })
  }
}
