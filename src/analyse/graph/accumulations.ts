import type { Dominators } from './dominators.ts'
import type { HeapGraph } from '../../model.ts'

/** Where memory piles up. */
export type Accumulation =
  /** One object that alone keeps much alive. */
  | {
      readonly kind: 'object'
      readonly place: number
      readonly retainedBytes: number
      /** How many objects of its type hang one on the other, itself the first. */
      readonly links: number
    }
  /** Objects of one type that several others keep together, so that none of those alone keeps them alive. */
  | {
      readonly kind: 'group'
      readonly type: number
      readonly places: readonly number[]
      readonly retainedBytes: number
      /** Objects that refer to most of them, with how many they refer to. */
      readonly holders: readonly { readonly object: number; readonly members: number }[]
    }

/** As long as one child has this share of what its parent retains, the parent is only on the way; MAT has the same. */
const SAME_SHARE = 0.7
/** So many objects of one type one below the other are a chain. */
const CHAIN = 4
const MOST_HOLDERS = 4

/** Objects and groups of objects that retain at least `leastBytes`, largest first. */
export function findAccumulations(
  graph: HeapGraph,
  dominators: Dominators,
  retained: Float64Array,
  leastBytes: number,
): readonly Accumulation[] {
  const largestBelow = findLargestBelow(dominators, retained)
  const objects: Accumulation[] = []
  const apart = new Map<number, number[]>()
  for (let place = 1; place < dominators.length; place++) {
    if (dominators.dominator[place] !== 0) continue
    if ((retained[place] ?? 0) >= leastBytes)
      objects.push(descend({ graph, dominators, retained, largestBelow }, place))
    else {
      const kind = graph.kindOf[dominators.objectAt[place] ?? 0] ?? 0
      const same = apart.get(kind)
      if (same) same.push(place)
      else apart.set(kind, [place])
    }
  }
  const groups = [...apart]
    .filter(([, places]) => places.length > 1 && sum(places, retained) >= leastBytes)
    .map(([type, places]): Accumulation => ({
      kind: 'group',
      type,
      places,
      retainedBytes: sum(places, retained),
      holders: findHolders(graph, dominators, places),
    }))
  return [...objects, ...groups].toSorted((a, b) => b.retainedBytes - a.retainedBytes)
}

const sum = (places: readonly number[], retained: Float64Array): number =>
  places.reduce((total, place) => total + (retained[place] ?? 0), 0)

/** By place, the one that retains most of those that it dominates. */
function findLargestBelow({ length, dominator }: Dominators, retained: Float64Array): Uint32Array {
  const largest = new Uint32Array(length)
  for (let place = 1; place < length; place++) {
    const above = dominator[place] ?? 0
    if ((retained[place] ?? 0) > (retained[largest[above] ?? 0] ?? 0) || largest[above] === 0)
      largest[above] = place
  }
  return largest
}

type Descent = {
  readonly graph: HeapGraph
  readonly dominators: Dominators
  readonly retained: Float64Array
  readonly largestBelow: Uint32Array
}

/** Goes down to where what a place retains parts, or to the head of a chain. */
function descend(descent: Descent, start: number): Accumulation {
  const { graph, dominators, retained, largestBelow } = descent
  const kindAt = (place: number): number => graph.kindOf[dominators.objectAt[place] ?? 0] ?? 0
  const headOf = new Map<number, { readonly place: number; links: number }>()
  let place = start
  for (;;) {
    const kind = kindAt(place)
    const head = headOf.get(kind) ?? { place, links: 0 }
    head.links += 1
    headOf.set(kind, head)
    if (head.links >= CHAIN) {
      const links = head.links + countLinks(descent, place)
      return { kind: 'object', place: head.place, retainedBytes: retained[head.place] ?? 0, links }
    }
    const below = largestBelow[place] ?? 0
    const bytes = retained[place] ?? 0
    if (below === 0 || (retained[below] ?? 0) < bytes * SAME_SHARE)
      return { kind: 'object', place, retainedBytes: bytes, links: 1 }
    place = below
  }
}

/** How many more of its type are on the way on down. */
function countLinks({ graph, dominators, largestBelow }: Descent, start: number): number {
  const kind = graph.kindOf[dominators.objectAt[start] ?? 0] ?? 0
  let links = 0
  for (let place = largestBelow[start] ?? 0; place !== 0; place = largestBelow[place] ?? 0)
    if (graph.kindOf[dominators.objectAt[place] ?? 0] === kind) links += 1
  return links
}

function findHolders(
  { objects, first, references }: HeapGraph,
  { objectAt }: Dominators,
  places: readonly number[],
): readonly { readonly object: number; readonly members: number }[] {
  const isMember = new Uint8Array(objects + 1)
  for (const place of places) isMember[objectAt[place] ?? 0] = 1
  const holders: { object: number; members: number }[] = []
  for (let object = 1; object <= objects; object++) {
    const end = first[object + 1] ?? 0
    let members = 0
    for (let at = first[object] ?? 0; at < end; at++) members += isMember[references[at] ?? 0] ?? 0
    if (members * 10 >= places.length) holders.push({ object, members })
  }
  return holders.toSorted((a, b) => b.members - a.members).slice(0, MOST_HOLDERS)
}
