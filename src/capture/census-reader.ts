import type { Allocations, Census, Owner, Pools } from '../model.ts'
import { CensusLine } from '../census-schema.ts'
import type { PayloadKind } from './payload-text.ts'

const MAX_LINE_CHARS = 1024 * 1024
const MAX_TOTAL_CHARS = 64 * 1024 * 1024
/** A census of an hour has 7,200 lines of progress. */
const MAX_LINES = 10_000
const MAX_OWNERS = 4000

/**
 * Puts a census together from the payload's lines. It takes what comes, checked and bounded; a snapshot that has to
 * be killed leaves what it had sent.
 */
export class CensusReader {
  #rest = ''
  #total = 0
  #lineCount = 0
  /** The last line of each kind, but for owners, which come in several. */
  readonly #latest = new Map<CensusLine['kind'], CensusLine>()
  readonly #owners: Owner[] = []
  #fault: string | undefined
  readonly #kinds: readonly PayloadKind[]

  constructor(kinds: readonly PayloadKind[]) {
    this.#kinds = kinds
  }

  /** Takes the next piece of output. */
  push(text: string): void {
    this.#total += text.length
    if (this.#total > MAX_TOTAL_CHARS) this.#fault ??= 'more than 64 MiB of output'
    if (this.#fault !== undefined) return
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > MAX_LINE_CHARS) this.#fault ??= 'a line of more than 1 MiB'
    for (const line of lines) if (this.#fault === undefined) this.#take(line)
  }

  #take(line: string): void {
    this.#lineCount += 1
    if (this.#lineCount > MAX_LINES) this.#fault ??= `more than ${MAX_LINES} lines`
    const { data } = CensusLine.safeParse(parseJson(line))
    if (!data) this.#fault ??= `a line that makes no sense: ${line.slice(0, 120)}`
    else if (data.kind === 'owners')
      this.#owners.push(...data.owners.slice(0, MAX_OWNERS - this.#owners.length))
    else this.#latest.set(data.kind, data)
  }

  /** Whether the payload has said anything at all: the snapshot's interpreter works. */
  get hasBegun(): boolean {
    return this.#lineCount > 0
  }

  /** Whether the census has come to its end; malloc's state, allocation sites and pools may follow. */
  get hasEnded(): boolean {
    return this.#latest.has('end')
  }

  /** Whether the payload has come to its end, malloc's state aside. */
  get hasSaidAll(): boolean {
    return this.hasEnded && !this.#lacksSites && !this.#lacksPools
  }

  /** Why the payload tells no graph, if it has said so. */
  get noGraph(): string | undefined {
    return this.#last('no-graph')?.problem
  }

  get #lacksPools(): boolean {
    return this.#kinds.includes('census') && !this.#latest.has('pools')
  }

  #pools(): Pools | undefined {
    const told = this.#last('pools')
    return told && told.count > 0 ? stripKind(told) : undefined
  }

  get #lacksSites(): boolean {
    const isTraced = this.#last('runtime')?.python.tracemalloc === true
    return isTraced && this.#kinds.includes('census') && !this.#latest.has('allocated')
  }

  /** A part that failed inside the payload leaves its lines out. */
  get #hasAll(): boolean {
    const has = { census: this.#last('types'), stacks: this.#last('stacks') }
    return this.hasEnded && this.#kinds.every((kind) => kind === 'graph' || has[kind] !== undefined)
  }

  /** Objects that the payload has walked so far. */
  get progress(): number {
    return this.#last('progress')?.objects ?? 0
  }

  /** What is wrong with the output, if anything is. */
  get fault(): string | undefined {
    return this.#fault ?? this.#last('error')?.error
  }

  /** The census as far as it came; undefined when not even the interpreter's own facts did. */
  census(): Census | undefined {
    const runtime = this.#last('runtime')
    if (!runtime) return undefined
    const malloc = this.#last('malloc')
    return {
      format: 1,
      complete: this.#hasAll,
      python: runtime.python,
      gc: runtime.gc,
      allocatedBlocks: runtime.allocatedBlocks ?? undefined,
      malloc: malloc && stripKind(malloc),
      pools: this.#pools(),
      devices: this.#last('devices')?.devices,
      ...this.#counted(),
      owners: this.#owners,
      largest: this.#last('largest')?.objects ?? [],
      stacks: this.#last('stacks')?.threads ?? [],
      allocations: this.#allocations(),
      problems: this.#problems(),
    }
  }

  /** The full count, or of a census that was cut off the quick one of what the collector tracks. */
  #counted(): Pick<Census, 'objects' | 'bytes' | 'types'> {
    const full = this.#last('types')
    if (full) return { objects: full.objects, bytes: full.bytes, types: full.types }
    const types = this.#last('tracked')?.types ?? []
    return { objects: types.reduce((sum, { count }) => sum + count, 0), bytes: 0, types }
  }

  #allocations(): Allocations | undefined {
    const told = this.#last('allocated')
    if (!told || told.problem !== null) return undefined
    const { kind: _kind, problem: _problem, ...allocations } = told
    return allocations
  }

  #problems(): string[] {
    const told = this.#last('end')?.problems ?? []
    const lack = this.#last('allocated')?.problem
    return [
      ...told,
      ...(this.hasEnded && this.#lacksSites ? ['allocation sites: cut off before they were told'] : []),
      ...(lack ? [`allocation sites: ${lack}`] : []),
      ...(this.fault === undefined ? [] : [this.fault]),
    ]
  }

  #last<Kind extends CensusLine['kind']>(kind: Kind): Extract<CensusLine, { kind: Kind }> | undefined {
    return this.#latest.get(kind) as Extract<CensusLine, { kind: Kind }> | undefined
  }
}

function stripKind<T extends { readonly kind: string }>({ kind: _kind, ...rest }: T): Omit<T, 'kind'> {
  return rest
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
