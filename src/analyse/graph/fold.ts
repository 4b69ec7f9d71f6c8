import type { FoldedGraph, HeapGraph } from '../../model.ts'
import { nameOwner } from '../owner-title.ts'
import { type Dominators, findDominators } from './dominators.ts'
import { sumRetained } from './retained.ts'
import { findRoots, holdsAttributes, nameReference } from './ways.ts'

/**
 * The graph with at most so many nodes: the objects where most is kept. Every other is counted as part of the next node that
 * dominates it, so that what each node retains stays exact; its references become that one's.
 */
export function foldGraph(graph: HeapGraph, mostNodes: number): FoldedGraph {
  const roots = findRoots(graph)
  const dominators = findDominators(graph, roots)
  const retained = sumRetained(graph, dominators)
  const { nodeOf, objects } = keepLargest(dominators, retained, mostNodes)
  const selfBytes = new Float64Array(objects.length)
  let looseBytes = 0
  for (let place = 1; place < dominators.length; place++) {
    const node = nodeOf[place] ?? 0
    const size = graph.sizes[dominators.objectAt[place] ?? 0] ?? 0
    if (node === 0) looseBytes += size
    else selfBytes[node] = (selfBytes[node] ?? 0) + size
  }
  return {
    graph,
    objects,
    selfBytes,
    looseBytes,
    ...foldReferences(graph, dominators, { nodeOf, objects }),
    roots: nameRoots(graph, dominators, { nodeOf, objects }),
  }
}

type Kept = {
  /** By place, the node that it is, or is part of; 0 for what no node dominates. */
  readonly nodeOf: Uint32Array
  /** The object that a node is, from node 1 on. */
  readonly objects: Uint32Array
}

function keepLargest(
  { length, objectAt, dominator }: Dominators,
  retained: Float64Array,
  most: number,
): Kept {
  const count = Math.min(most, length - 1)
  const worth = measureWorth(dominator, retained)
  const least = count === length - 1 ? 0 : (worth.slice(1).toSorted()[length - 1 - count] ?? 0)
  const nodeOf = new Uint32Array(length)
  const objects = new Uint32Array(count + 1)
  let nodes = 0
  // Who dominates comes first.
  for (let place = 1; place < length; place++) {
    if (nodes < count && (worth[place] ?? 0) >= least) {
      nodes += 1
      nodeOf[place] = nodes
      objects[nodes] = objectAt[place] ?? 0
    } else nodeOf[place] = nodeOf[dominator[place] ?? 0] ?? 0
  }
  return { nodeOf, objects: objects.subarray(0, nodes + 1) }
}

/** What a link of a chain only passes on counts little, or a long chain would be all that is kept. */
const PASSED_ON = 1 / 1000

/** What each place retains besides what the largest below it does, and a little for that too. */
function measureWorth(dominator: Uint32Array, retained: Float64Array): Float64Array {
  const largestBelow = new Float64Array(retained.length)
  for (let place = retained.length - 1; place > 0; place--) {
    const above = dominator[place] ?? 0
    largestBelow[above] = Math.max(largestBelow[above] ?? 0, retained[place] ?? 0)
  }
  return retained.map((bytes, place) => bytes - (largestBelow[place] ?? 0) * (1 - PASSED_ON))
}

/** References between nodes, each once, by the node that they are of; 0 has those of what no node dominates. */
function foldReferences(
  graph: HeapGraph,
  { length, objectAt, placeOf }: Dominators,
  { nodeOf, objects }: Kept,
): Pick<FoldedGraph, 'first' | 'to' | 'nameOf' | 'names'> {
  const { first: firstOf, references } = graph
  const first = new Uint32Array(objects.length + 1)
  const isNode = (place: number): boolean => objects[nodeOf[place] ?? 0] === objectAt[place] && place > 0
  const each = (tell: (from: number, to: number, place: number, at: number) => void): void => {
    for (let place = 1; place < length; place++) {
      const object = objectAt[place] ?? 0
      const begin = firstOf[object] ?? 0
      const end = firstOf[object + 1] ?? 0
      for (let at = begin; at < end; at++) {
        const target = placeOf[references[at] ?? 0] ?? 0
        if (isNode(target) && nodeOf[target] !== nodeOf[place])
          tell(nodeOf[place] ?? 0, nodeOf[target] ?? 0, place, at - begin)
      }
    }
  }
  each((from) => (first[from + 1] = (first[from + 1] ?? 0) + 1))
  for (let node = 1; node < first.length; node++) first[node] = (first[node] ?? 0) + (first[node - 1] ?? 0)
  const to = new Uint32Array(first.at(-1) ?? 0)
  const nameOf = new Uint32Array(to.length)
  const fill = first.slice()
  const names = ['(inside)']
  const numbers = new Map(names.map((name, at) => [name, at]))
  each((from, target, place, at) => {
    const slot = fill[from] ?? 0
    fill[from] = slot + 1
    to[slot] = target
    const object = objectAt[place] ?? 0
    if (!isNode(place)) return
    const name = nameReference(graph, object, { at, isAttributes: holdsAttributes(graph, object) })
    const number = numbers.get(name) ?? names.push(name) - 1
    numbers.set(name, number)
    nameOf[slot] = number
  })
  return { first, to, nameOf, names }
}

function nameRoots(
  graph: HeapGraph,
  { placeOf, dominator }: Dominators,
  { nodeOf, objects }: Kept,
): FoldedGraph['roots'] {
  const roots: { kind: string; name: string; node: number }[] = []
  for (const { kind, scope, path, starts } of graph.labels)
    for (const start of starts) {
      const place = placeOf[start] ?? 0
      const node = nodeOf[place] ?? 0
      // What is dominated by another object is reached through that.
      if (place > 0 && dominator[place] === 0 && objects[node] === start)
        roots.push({ kind, name: nameOwner({ kind, scope, path }), node })
    }
  return roots
}
