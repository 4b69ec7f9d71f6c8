/**
 * The words between a client and the console in a snapshot: a line `KIND LENGTH` and so many bytes. On the way out a
 * byte 1E stands before it, and what lies between two messages was written to descriptors 1 or 2 by native code or by
 * what the service had for its streams. src/payload/console/frames.py is the other end.
 */
export type ConsoleMessage = { readonly kind: MessageKind; readonly text: string }

const KINDS = ['hello', 'refused', 'fatal', 'out', 'err', 'error', 'done', 'names'] as const
export type MessageKind = (typeof KINDS)[number]

export type Request = 'exec' | 'single' | 'complete'

const MARK = 0x1e
const LINE_END = 0x0a
const MAX_HEAD_BYTES = 32
const MAX_BODY_BYTES = 1024 * 1024

/** A request as bytes. */
export const encodeRequest = (kind: Request, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${kind} ${body.length}\n`), body])

/** Takes messages out of what a snapshot writes, which may be anything: what is no message is output. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0)
  /** Of raw output, whose characters may come in two pieces. */
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  /** The messages that are whole with these bytes, in order. */
  push(bytes: Buffer): readonly ConsoleMessage[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const messages: ConsoleMessage[] = []
    for (let found = this.#next(); found !== undefined; found = this.#next())
      if (found.text !== '' || found.kind !== 'out') messages.push(found)
    return messages
  }

  #next(): ConsoleMessage | undefined {
    const mark = this.#rest.indexOf(MARK)
    if (mark !== 0) return this.#rest.length === 0 ? undefined : this.#takeRaw(mark === -1 ? Infinity : mark)
    const lineEnd = this.#rest.subarray(0, MAX_HEAD_BYTES).indexOf(LINE_END)
    if (lineEnd === -1) return this.#rest.length < MAX_HEAD_BYTES ? undefined : this.#takeRaw(1)
    const [, name, length] = /^(\w+) (\d{1,7})$/.exec(this.#rest.toString('latin1', 1, lineEnd)) ?? []
    const kind = KINDS.find((known) => known === name)
    if (kind === undefined || Number(length) > MAX_BODY_BYTES) return this.#takeRaw(1)
    const end = lineEnd + 1 + Number(length)
    if (this.#rest.length < end) return undefined
    const text = this.#rest.toString('utf8', lineEnd + 1, end)
    this.#rest = this.#rest.subarray(end)
    return { kind, text }
  }

  #takeRaw(length: number): ConsoleMessage {
    const raw = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(raw.length)
    return { kind: 'out', text: this.#decoder.decode(raw, { stream: true }) }
  }
}
