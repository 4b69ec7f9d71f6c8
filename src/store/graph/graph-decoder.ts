import { GraphLine } from '../../graph-schema.ts'
import type { GraphKind, GraphLabel, HeapGraph } from '../../model.ts'

const MOST_OBJECTS = 200_000_000
const MOST_LINE_BYTES = 2 * 2 ** 20
const MOST_KINDS = 1_000_000
const MOST_STARTS = 50_000_000

export type BadGraph = { readonly kind: 'bad-graph'; readonly detail: string }

/** What the next number of a record is, see src/stub/graph.h. */
type Expected = 'distance' | 'kind' | 'size' | 'count' | 'reference'

/** Reads a graph from pieces of its uncompressed file; everything in it is checked and bounded. */
export class GraphDecoder {
  #fault: string | undefined
  #line: Buffer[] = []
  #lineBytes = 0
  #recordBytes = 0
  #value = 0
  #scale = 1
  #expected: Expected = 'distance'
  #object = 0
  #left = 0
  #told = 0
  #address = 0
  #hasEnded = false
  #objects = 0
  #kinds: GraphKind[] = []
  #kindSizes = new Float64Array(0)
  readonly #labels: (GraphLabel & { readonly starts: number[] })[] = []
  #starts = 0
  readonly #places = new Map<number, readonly string[]>()
  readonly #keys = new Map<number, string>()
  #kindOf = new Uint32Array(0)
  #sizes = new Float64Array(0)
  #addresses = new Float64Array(0)
  #first = new Uint32Array(0)
  #references = new Uint32Array(0)

  /** What is wrong with it, as soon as something is. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** Takes the next piece. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#fault === undefined;) {
      if (this.#recordBytes > 0) {
        const end = Math.min(bytes.length, at + this.#recordBytes)
        this.#recordBytes -= end - at
        this.#takeNumbers(bytes, at, end)
        at = end
        continue
      }
      const found = bytes.indexOf(10, at)
      const end = found < 0 ? bytes.length : found
      this.#line.push(Buffer.from(bytes.subarray(at, end)))
      this.#lineBytes += end - at
      if (this.#lineBytes > MOST_LINE_BYTES) this.#fault = `a line of more than ${MOST_LINE_BYTES} bytes`
      else if (found >= 0) this.#takeLine()
      at = end + 1
    }
  }

  /** The graph, or what is wrong with it or missing. */
  end(): HeapGraph | BadGraph {
    const whole = this.#object === this.#objects && this.#expected === 'distance'
    if (this.#hasEnded && !whole) this.#fault ??= `${this.#object} of ${this.#objects} objects`
    if (!this.#hasEnded) this.#fault ??= 'it ends before its end'
    if (this.#fault !== undefined) return { kind: 'bad-graph', detail: this.#fault }
    this.#first[this.#objects + 1] = this.#told
    return {
      objects: this.#objects,
      kinds: this.#kinds,
      labels: this.#labels,
      names: { places: this.#places, keys: this.#keys },
      kindOf: this.#kindOf,
      sizes: this.#sizes,
      addresses: this.#addresses,
      first: this.#first,
      references: this.#references.subarray(0, this.#told),
    }
  }

  #takeLine(): void {
    const text = Buffer.concat(this.#line).toString('utf8')
    this.#line = []
    this.#lineBytes = 0
    const { data } = GraphLine.safeParse(parseJson(text))
    if (!data) this.#fault = `a line that makes no sense: ${text.slice(0, 100)}`
    else this.#take(data)
  }

  #take(line: GraphLine): void {
    switch (line.kind) {
      case 'graph':
        this.#begin(line.objects)
        return
      case 'graph-kinds':
        this.#kinds = [...this.#kinds, ...line.kinds]
        this.#kindSizes = Float64Array.from(this.#kinds, ({ bytes }) => bytes)
        if (this.#kinds.length > MOST_KINDS) this.#fault = `more than ${MOST_KINDS} types`
        return
      case 'graph-labels':
        for (const label of line.labels) this.#addLabel(label)
        return
      case 'records':
        this.#recordBytes = line.bytes
        return
      case 'graph-names':
        for (const { kind, places, keys } of line.names) {
          this.#places.set(kind + 1, places)
          for (const [object, name] of keys) this.#keys.set(object, name)
        }
        return
      case 'graph-end':
        this.#hasEnded = true
        return
      default:
        line satisfies never
    }
  }

  #begin(objects: number): void {
    if (objects > MOST_OBJECTS || this.#objects > 0) {
      this.#fault = `${objects} objects`
      return
    }
    this.#objects = objects
    this.#kindOf = new Uint32Array(objects + 1)
    this.#sizes = new Float64Array(objects + 1)
    this.#addresses = new Float64Array(objects + 1)
    this.#first = new Uint32Array(objects + 2)
    this.#references = new Uint32Array(Math.max(1024, objects * 2))
  }

  /** A label with many starts comes in several rows. */
  #addLabel({ starts, ...label }: GraphLabel): void {
    this.#starts += starts.length
    if (this.#starts > MOST_STARTS || starts.some((start) => start < 1 || start > this.#objects)) {
      this.#fault = 'a label of objects that are not there'
      return
    }
    const last = this.#labels.at(-1)
    const continues = last?.kind === label.kind && last.scope === label.scope && last.path === label.path
    if (continues) for (const start of starts) last.starts.push(start)
    else this.#labels.push({ ...label, starts: [...starts] })
  }

  #takeNumbers(bytes: Uint8Array, begin: number, end: number): void {
    let value = this.#value
    let scale = this.#scale
    for (let at = begin; at < end; at++) {
      const byte = bytes[at] ?? 0
      value += (byte & 127) * scale
      if (byte > 127) {
        scale *= 128
        if (scale > 2 ** 56) this.#fault = 'a number that is too long'
        continue
      }
      this.#takeNumber(value)
      value = 0
      scale = 1
      if (this.#fault !== undefined) return
    }
    this.#value = value
    this.#scale = scale
  }

  #takeNumber(value: number): void {
    switch (this.#expected) {
      case 'reference':
        this.#addReference(value)
        return
      case 'distance':
        if (this.#object === this.#objects) this.#fault = 'more objects than it says'
        this.#object += 1
        this.#address += value * 16
        this.#addresses[this.#object] = this.#address
        this.#first[this.#object] = this.#told
        this.#expected = 'kind'
        return
      case 'kind':
        if (value > this.#kinds.length) this.#fault = `an object of type ${value}`
        this.#kindOf[this.#object] = value
        this.#sizes[this.#object] = this.#kindSizes[value - 1] ?? 0
        this.#expected = value === 0 ? 'distance' : this.#sizes[this.#object] === 0 ? 'size' : 'count'
        return
      case 'size':
        this.#sizes[this.#object] = value
        this.#expected = 'count'
        return
      case 'count':
        this.#left = value
        this.#expected = value === 0 ? 'distance' : 'reference'
        return
      default:
        this.#expected satisfies never
    }
  }

  #addReference(zigzag: number): void {
    const to = this.#object + (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2)
    if (to < 1 || to > this.#objects) this.#fault = `object ${this.#object} refers to ${to}`
    if (this.#told === this.#references.length) this.#grow()
    this.#references[this.#told] = to
    this.#told += 1
    this.#left -= 1
    if (this.#left === 0) this.#expected = 'distance'
  }

  #grow(): void {
    const { length } = this.#references
    if (length * 1.5 > 0xffff_fffe) {
      this.#fault = 'more than 4 billion references'
      return
    }
    const more = new Uint32Array(Math.ceil(length * 1.5))
    more.set(this.#references)
    this.#references = more
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
