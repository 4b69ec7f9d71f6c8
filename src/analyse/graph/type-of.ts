import type { HeapGraph } from '../../model.ts'

/** The type of an object. */
export const typeOf = (graph: HeapGraph, object: number): string =>
  graph.kinds[(graph.kindOf[object] ?? 0) - 1]?.type ?? '(gone)'
