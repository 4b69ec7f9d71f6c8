import type { HeapGraph } from '../../model.ts'

/**
 * Which object alone keeps which alive: an object is dominated by the last one that every way from the roots to it leads
 * through. Objects are told by their place in a depth-first walk from place 0, which stands for all roots together; who
 * dominates comes before whom it dominates.
 */
export type Dominators = {
  /** How many places there are: what is reached, and place 0. */
  readonly length: number
  /** The object at a place. */
  readonly objectAt: Uint32Array
  /** The place of an object; 0 for what no root leads to. */
  readonly placeOf: Uint32Array
  /** The place of the immediate dominator of a place. */
  readonly dominator: Uint32Array
}

type Walk = Omit<Dominators, 'dominator'> & {
  /** The place from which a place was come to. */
  readonly parent: Uint32Array
  readonly isRoot: Uint8Array
}

/** Places that were done, linked to those that they were come to from; paths are shortened as they are walked. */
type Forest = {
  readonly ancestor: Uint32Array
  readonly semi: Uint32Array
  /** On the way up from a place as far as it was shortened, the one with the least semidominator. */
  readonly label: Uint32Array
}

const at = (values: Uint32Array, index: number): number => values[index] ?? 0

/** Dominators by the semi-NCA algorithm (Georgiadis 2005, "Linear-Time Algorithms for Dominators and Related Problems"). */
export function findDominators(graph: HeapGraph, roots: readonly number[]): Dominators {
  const walk = walkDepthFirst(graph, roots)
  const { length, parent, placeOf, objectAt } = walk
  const semi = findSemidominators(graph, walk)
  const dominator = parent.slice()
  for (let place = 1; place < length; place++) {
    let candidate = at(dominator, place)
    while (candidate > at(semi, place)) candidate = at(dominator, candidate)
    dominator[place] = candidate
  }
  return { length, objectAt, placeOf, dominator }
}

function findSemidominators(graph: HeapGraph, walk: Walk): Uint32Array {
  const { length, parent, isRoot, objectAt } = walk
  const { firstFrom, from } = reverse(graph, walk)
  const semi = Uint32Array.from({ length }, (_, place) => place)
  const forest = { semi, label: semi.slice(), ancestor: parent.slice() }
  for (let place = length - 1; place > 0; place--) {
    let least = isRoot[at(objectAt, place)] === 1 ? 0 : at(parent, place)
    const end = at(firstFrom, place + 1)
    for (let n = at(firstFrom, place); n < end && least > 0; n++)
      least = Math.min(least, at(semi, leastAbove(forest, at(from, n), place + 1)))
    semi[place] = least
  }
  return semi
}

const path: number[] = []

/** The one with the least semidominator on the way up from a place through those that were done, from `done` on. */
function leastAbove({ ancestor, semi, label }: Forest, start: number, done: number): number {
  let place = start
  while (at(ancestor, place) >= done) {
    path.push(place)
    place = at(ancestor, place)
  }
  let least = at(label, place)
  const top = at(ancestor, place)
  for (let below = path.pop(); below !== undefined; below = path.pop()) {
    ancestor[below] = top
    const own = at(label, below)
    if (at(semi, least) < at(semi, own)) label[below] = least
    else least = own
  }
  return at(label, start)
}

function walkDepthFirst({ objects, first, references }: HeapGraph, roots: readonly number[]): Walk {
  const placeOf = new Uint32Array(objects + 1)
  const objectAt = new Uint32Array(objects + 1)
  const parent = new Uint32Array(objects + 1)
  const isRoot = new Uint8Array(objects + 1)
  /** Of each object, which of its references comes next. */
  const next = first.slice()
  let length = 1
  const come = (object: number, from: number): number => {
    placeOf[object] = length
    objectAt[length] = object
    parent[length] = from
    length += 1
    return length - 1
  }
  for (const root of roots) {
    isRoot[root] = 1
    let place = at(placeOf, root) === 0 ? come(root, 0) : 0
    while (place > 0) {
      const object = at(objectAt, place)
      const end = at(first, object + 1)
      let n = at(next, object)
      while (n < end && at(placeOf, at(references, n)) !== 0) n++
      next[object] = n + 1
      place = n < end ? come(at(references, n), place) : at(parent, place)
    }
  }
  return {
    length,
    objectAt: objectAt.subarray(0, length),
    placeOf,
    parent: parent.subarray(0, length),
    isRoot,
  }
}

/** By place, the places that refer to it. */
function reverse(
  { first, references }: HeapGraph,
  { length, objectAt, placeOf }: Walk,
): { readonly firstFrom: Uint32Array; readonly from: Uint32Array } {
  const firstFrom = new Uint32Array(length + 1)
  for (let place = 1; place < length; place++) {
    const end = at(first, at(objectAt, place) + 1)
    for (let n = at(first, at(objectAt, place)); n < end; n++) {
      const to = at(placeOf, at(references, n))
      firstFrom[to + 1] = at(firstFrom, to + 1) + 1
    }
  }
  for (let place = 1; place <= length; place++)
    firstFrom[place] = at(firstFrom, place) + at(firstFrom, place - 1)
  const from = new Uint32Array(at(firstFrom, length))
  const fill = firstFrom.slice()
  for (let place = 1; place < length; place++) {
    const end = at(first, at(objectAt, place) + 1)
    for (let n = at(first, at(objectAt, place)); n < end; n++) {
      const to = at(placeOf, at(references, n))
      from[at(fill, to)] = place
      fill[to] = at(fill, to) + 1
    }
  }
  return { firstFrom, from }
}
