import type { CensusReader } from './census-reader.ts'

/** Where the records of a graph go, and the lines that explain them. */
export type GraphSink = {
  /** Takes some more bytes; false: nobody may bring more before `drained` was called. */
  readonly write: (bytes: Buffer) => boolean
}

const GRAPH_LINE = /^\{"kind":"(?:graph(?:-kinds|-labels|-names|-end)?|records)"/
const RECORDS = /^\{"kind":"records","bytes":(\d{1,7})\}$/
const MAX_LINE_BYTES = 1024 * 1024

/**
 * Parts what a payload writes: lines of JSON for the census, and the lines and records of the graph, which go on as they
 * are. A line `{"kind":"records","bytes":N}` stands before N bytes of records.
 */
export class PayloadOutput {
  readonly #reader: CensusReader
  readonly #sink: GraphSink | undefined
  /** The beginning of a line that has not ended yet. */
  #begun: Buffer[] = []
  #begunBytes = 0
  /** How many bytes of records are still to come. */
  #records = 0
  #graph: 'none' | 'begun' | 'ended' = 'none'

  constructor(reader: CensusReader, sink: GraphSink | undefined) {
    this.#reader = reader
    this.#sink = sink
  }

  /** Whether the graph has come to its end. */
  get hasGraph(): boolean {
    return this.#graph === 'ended'
  }

  /** Takes the next piece of output; false when the sink wants a pause. */
  push(bytes: Buffer): boolean {
    let wantsMore = true
    for (let at = 0; at < bytes.length;) {
      if (this.#records > 0) {
        const piece = bytes.subarray(at, at + this.#records)
        this.#records -= piece.length
        at += piece.length
        wantsMore = this.#send(piece) && wantsMore
        continue
      }
      const end = bytes.indexOf(10, at)
      const piece = bytes.subarray(at, end < 0 ? bytes.length : end + 1)
      at += piece.length
      this.#begun.push(piece)
      this.#begunBytes += piece.length
      if (end >= 0) wantsMore = this.#takeLine() && wantsMore
      else if (this.#begunBytes > MAX_LINE_BYTES) this.#passOn()
    }
    return wantsMore
  }

  #takeLine(): boolean {
    const line = Buffer.concat(this.#begun)
    const text = line.toString('latin1', 0, Math.min(line.length - 1, 60))
    if (!GRAPH_LINE.test(text)) {
      this.#passOn()
      return true
    }
    this.#begun = []
    this.#begunBytes = 0
    this.#graph = text.startsWith('{"kind":"graph-end"') ? 'ended' : 'begun'
    this.#records = Number(RECORDS.exec(text)?.[1] ?? 0)
    return this.#send(line)
  }

  #passOn(): void {
    this.#reader.push(Buffer.concat(this.#begun).toString('utf8'))
    this.#begun = []
    this.#begunBytes = 0
  }

  #send(bytes: Buffer): boolean {
    return this.#sink?.write(bytes) ?? true
  }
}
