import type { GraphKind, GraphLabel, HeapGraph } from '../../../src/model.ts'

export type Thing = {
  readonly type: string
  readonly bytes?: number
  readonly refers?: readonly number[]
}

/** A graph of objects 1, 2, …; dicts are told as such, with keys and values by turns. */
export function makeGraph(
  things: readonly Thing[],
  labels: readonly Partial<GraphLabel>[],
  names: HeapGraph['names'] = { places: new Map(), keys: new Map() },
): HeapGraph {
  const types = [...new Set(things.map(({ type }) => type))]
  const kinds = types.map((type): GraphKind => ({
    type,
    bytes: 0,
    walks: type === 'dict' ? 'dict' : 'plain',
  }))
  const references = things.flatMap(({ refers = [] }) => refers)
  const first = new Uint32Array(things.length + 2)
  things.forEach(({ refers = [] }, at) => (first[at + 2] = (first[at + 1] ?? 0) + refers.length))
  return {
    objects: things.length,
    kinds,
    labels: labels.map((label) => ({
      kind: 'module',
      scope: 'app',
      path: '',
      isTop: true,
      starts: [],
      ...label,
    })),
    names,
    kindOf: Uint32Array.from([0, ...things.map(({ type }) => types.indexOf(type) + 1)]),
    sizes: Float64Array.from([0, ...things.map(({ bytes = 1 }) => bytes)]),
    addresses: Float64Array.from([0, ...things.map((_, at) => (at + 1) * 16)]),
    first,
    references: Uint32Array.from(references),
  }
}

/** The number of the kind of a type, as objects have it. */
export const kindNumber = (graph: HeapGraph, type: string): number =>
  graph.kinds.findIndex((kind) => kind.type === type) + 1

/** Numbers from 0 up to `below`, the same for the same seed. */
export function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}
