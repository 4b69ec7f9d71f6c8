import {
  Function as Place,
  Label,
  Line,
  Location,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format'
import type { AllocationSite, Census, Dump, Owner } from '../../model.ts'

/** What a profile is of: who keeps objects alive, or where tracemalloc saw them allocated. */
export type ProfileOf = 'owners' | 'allocations'

/** A frame of a stack: a function's name, or a line of a file. */
type Frame = { readonly name: string; readonly file: string; readonly line: number }
type Row = {
  readonly frames: readonly Frame[]
  readonly count: number
  readonly bytes: number
  readonly type?: string
}

/**
 * The census as a profile in the format of pprof, not compressed: objects and bytes in use. Of owners a stack is the type
 * that is kept, the way down to the container, and where that is; of allocations it is tracemalloc's. Undefined where
 * the dump has no such thing.
 */
export function renderPprof(dump: Dump, of: ProfileOf): Uint8Array | undefined {
  const { census, manifest } = dump
  const rows = census && (of === 'owners' ? ownerRows(census) : allocationRows(census))
  if (rows === undefined) return undefined
  const strings = new StringTable()
  const places = new Places(strings)
  const sample = rows.map(
    ({ frames, count, bytes, type }) =>
      new Sample({
        locationId: frames.map((frame) => places.number(frame)),
        value: [count, bytes],
        label:
          type === undefined ? [] : [new Label({ key: strings.dedup('type'), str: strings.dedup(type) })],
      }),
  )
  const valueType = (type: string, unit: string): ValueType =>
    new ValueType({ type: strings.dedup(type), unit: strings.dedup(unit) })
  const profile = new Profile({
    sampleType: [valueType('inuse_objects', 'count'), valueType('inuse_space', 'bytes')],
    defaultSampleType: strings.dedup('inuse_space'),
    sample,
    location: places.locations,
    function: places.functions,
    stringTable: strings,
    timeNanos: BigInt(Date.parse(manifest.started_at)) * 1_000_000n,
    comment: [strings.dedup(`${dump.id}, pid ${manifest.process.pid}`)],
  })
  return profile.encode()
}

class Places {
  readonly locations: Location[] = []
  readonly functions: Place[] = []
  readonly #strings: StringTable
  readonly #numbers = new Map<string, number>()

  constructor(strings: StringTable) {
    this.#strings = strings
  }

  number({ name, file, line }: Frame): number {
    const key = `${name}\n${file}\n${line}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const id = this.#numbers.size + 1
    this.#numbers.set(key, id)
    const [text, filename] = [this.#strings.dedup(name), this.#strings.dedup(file)]
    this.functions.push(new Place({ id, name: text, systemName: text, filename, startLine: line }))
    this.locations.push(new Location({ id, line: [new Line({ functionId: id, line })] }))
    return id
  }
}

const plain = (name: string): Frame => ({ name, file: '', line: 0 })

const ownerRows = (census: Census): readonly Row[] => census.owners.flatMap(rowsOfOwner)

/** One row for each of its types, and one for what the list of types leaves out. */
function rowsOfOwner(owner: Owner): readonly Row[] {
  const frames = [...waysOf(owner.path), owner.scope, owner.kind].filter(Boolean).map(plain)
  const rows = owner.types.map(({ type, count, bytes }) => ({
    frames: [plain(type), ...frames],
    count,
    bytes,
    type,
  }))
  const [count, bytes] = [sumOf(rows, 'count'), sumOf(rows, 'bytes')]
  const rest = {
    frames: [plain('other types'), ...frames],
    count: owner.objects - count,
    bytes: owner.bytes - bytes,
  }
  return rest.count > 0 ? [...rows, rest] : rows
}

const sumOf = (rows: readonly Row[], what: 'count' | 'bytes'): number =>
  rows.reduce((sum, row) => sum + row[what], 0)

/** `APP.state['users']` as `APP.state['users']`, `APP.state`, `APP`: the innermost first. */
function waysOf(path: string): readonly string[] {
  const ends = [...path.matchAll(/[^.[]+|\.[^.[]+|\[[^\]]*\]/g)].map(
    ({ index, 0: step }) => index + step.length,
  )
  return ends.map((end) => path.slice(0, end)).toReversed()
}

const allocationRows = ({ allocations }: Census): readonly Row[] | undefined =>
  allocations?.sites.map((site: AllocationSite) => ({
    frames: site.frames.map(({ file, line }) => ({ name: `${file}:${line}`, file, line })),
    count: site.count,
    bytes: site.bytes,
  }))
