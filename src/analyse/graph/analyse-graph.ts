import type {
  GraphFindings,
  GraphLabel,
  GraphSuspect,
  HeapGraph,
  RetainedOwner,
  TypeRow,
} from '../../model.ts'
import { nameOwner } from '../owner-title.ts'
import { type Accumulation, findAccumulations } from './accumulations.ts'
import { type Dominators, findDominators } from './dominators.ts'
import { attribute, sumKinds, sumRetained } from './retained.ts'
import { typeOf } from './type-of.ts'
import { type Ways, findRoots, findWays, nameSteps, traceBack } from './ways.ts'

/** What retains at least this share of everything is suspected; Eclipse MAT draws the line there too. */
const LEAST_SHARE = 0.1
const MOST_SUSPECTS = 10
const MOST_OWNERS = 500
const LEAST_OWNER_BYTES = 4096
const SAMPLES = 200

type Analysed = {
  readonly graph: HeapGraph
  readonly dominators: Dominators
  readonly retained: Float64Array
  readonly ways: Ways
}

/** Works out what retains how much in a whole graph, and how it is reached. */
export function analyseGraph(graph: HeapGraph): GraphFindings {
  const roots = findRoots(graph)
  const dominators = findDominators(graph, roots)
  const retained = sumRetained(graph, dominators)
  const ways = findWays(graph, roots)
  const bytes = retained[0] ?? 0
  const analysed = { graph, dominators, retained, ways }
  const found = findAccumulations(graph, dominators, retained, bytes * LEAST_SHARE)
  const held = sumHeld(analysed, found)
  const suspects = found
    .map((accumulation, at) => describe(analysed, accumulation, held[at] ?? []))
    .filter(({ where }) => !where.startsWith('interpreter'))
  return {
    objects: graph.objects,
    references: graph.references.length,
    reached: dominators.length - 1,
    bytes,
    suspects: suspects.slice(0, MOST_SUSPECTS),
    owners: sumOwners(analysed),
    types: sumKinds(graph, dominators, retained).map(({ kind, count, bytes: own, retainedBytes }) => ({
      type: graph.kinds[kind - 1]?.type ?? '',
      count,
      bytes: own,
      retainedBytes,
    })),
  }
}

function describe(
  { graph, dominators, ways }: Analysed,
  accumulation: Accumulation,
  holds: readonly TypeRow[],
): GraphSuspect {
  const { retainedBytes } = accumulation
  if (accumulation.kind === 'object') {
    const object = dominators.objectAt[accumulation.place] ?? 0
    const { links } = accumulation
    return {
      kind: links > 1 ? 'chain' : 'object',
      type: typeOf(graph, object),
      count: links,
      where: nameWay(graph, ways, object),
      retainedBytes,
      holds,
      holders: [],
    }
  }
  const members = accumulation.places.map((place) => dominators.objectAt[place] ?? 0)
  return {
    kind: 'group',
    type: graph.kinds[accumulation.type - 1]?.type ?? '',
    count: members.length,
    where: commonWay(graph, ways, members),
    retainedBytes,
    holds,
    holders: accumulation.holders.map((holder) => ({
      where: nameWay(graph, ways, holder.object),
      type: typeOf(graph, holder.object),
      members: holder.members,
    })),
  }
}

/** How an object is reached: `module shop.broker: POOL._dirty[*].history`. */
function nameWay(graph: HeapGraph, ways: Ways, object: number): string {
  const { label, objects } = traceBack(graph, ways, object)
  return nameFrom(label, nameSteps(graph, objects))
}

const nameFrom = (label: GraphLabel | undefined, steps: string): string =>
  label ? nameOwner({ ...label, path: label.path + steps }) : `something that has no name${steps}`

/** How most of some objects are reached. */
function commonWay(graph: HeapGraph, ways: Ways, objects: readonly number[]): string {
  const counts = new Map<string, number>()
  const step = Math.max(1, Math.floor(objects.length / SAMPLES))
  for (let at = 0; at < objects.length; at += step) {
    const way = nameWay(graph, ways, objects[at] ?? 0)
    counts.set(way, (counts.get(way) ?? 0) + 1)
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? ''
}

const MOST_HELD = 5

/** The types of what each accumulation retains, largest first. */
function sumHeld(
  { graph, dominators }: Analysed,
  found: readonly Accumulation[],
): readonly (readonly TypeRow[])[] {
  const groups = found.map((each) => (each.kind === 'object' ? [each.place] : each.places))
  const owner = attribute(dominators, groups)
  const sums = found.map(() => new Map<number, { count: number; bytes: number }>())
  for (let place = 1; place < dominators.length; place++) {
    const sum = sums[(owner[place] ?? 0) - 1]
    if (!sum) continue
    const object = dominators.objectAt[place] ?? 0
    const kind = graph.kindOf[object] ?? 0
    const row = sum.get(kind) ?? { count: 0, bytes: 0 }
    row.count += 1
    row.bytes += graph.sizes[object] ?? 0
    sum.set(kind, row)
  }
  return sums.map((sum) =>
    [...sum]
      .toSorted(([, a], [, b]) => b.bytes - a.bytes)
      .slice(0, MOST_HELD)
      .map(([kind, { count, bytes }]) => ({ type: graph.kinds[kind - 1]?.type ?? '(gone)', count, bytes })),
  )
}

/** What each name retains: what would be free if it did not hold it, whoever else is there. */
function sumOwners({ graph, dominators, retained }: Analysed): readonly RetainedOwner[] {
  return graph.labels
    .filter(({ isTop }) => isTop)
    .map(({ kind, scope, path, starts }) => ({
      kind,
      name: nameOwner({ kind, scope, path }),
      type: typeOf(graph, starts[0] ?? 0),
      starts: starts.length,
      retainedBytes: starts.reduce(
        (sum, start) => sum + (retained[dominators.placeOf[start] ?? 0] ?? 0) * isReached(dominators, start),
        0,
      ),
    }))
    .filter(({ retainedBytes }) => retainedBytes >= LEAST_OWNER_BYTES)
    .toSorted((a, b) => b.retainedBytes - a.retainedBytes)
    .slice(0, MOST_OWNERS)
}

const isReached = ({ placeOf }: Dominators, object: number): number => (placeOf[object] === 0 ? 0 : 1)
