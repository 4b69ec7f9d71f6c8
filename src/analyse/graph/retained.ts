import type { Dominators } from './dominators.ts'
import type { HeapGraph } from '../../model.ts'

/** What each place retains: the bytes that would be free without it, itself included. Place 0 retains everything. */
export function sumRetained({ sizes }: HeapGraph, { length, objectAt, dominator }: Dominators): Float64Array {
  const retained = new Float64Array(length)
  for (let place = length - 1; place > 0; place--) {
    const total = (retained[place] ?? 0) + (sizes[objectAt[place] ?? 0] ?? 0)
    retained[place] = total
    const above = dominator[place] ?? 0
    retained[above] = (retained[above] ?? 0) + total
  }
  return retained
}

export type KindTotal = { readonly kind: number; readonly count: number; readonly bytes: number }
export type RetainedKind = KindTotal & { readonly retainedBytes: number }

const MOST_KINDS = 32

/** The types that take most, with what their instances retain; one inside another of the same type counts once. */
export function sumKinds(
  graph: HeapGraph,
  dominators: Dominators,
  retained: Float64Array,
): readonly RetainedKind[] {
  const totals = sumOwn(graph, dominators)
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, MOST_KINDS)
  const retainedBytes = sumOutermost(graph, dominators, { retained, kinds: totals.map(({ kind }) => kind) })
  return totals
    .map(({ kind, count, bytes }, at) => ({ kind, count, bytes, retainedBytes: retainedBytes[at] ?? 0 }))
    .toSorted((a, b) => b.retainedBytes - a.retainedBytes)
}

function sumOwn({ kindOf, sizes, kinds }: HeapGraph, { length, objectAt }: Dominators): readonly KindTotal[] {
  const totals = Array.from({ length: kinds.length + 1 }, (_, kind) => ({ kind, count: 0, bytes: 0 }))
  for (let place = 1; place < length; place++) {
    const object = objectAt[place] ?? 0
    const total = totals[kindOf[object] ?? 0]
    if (!total) continue
    total.count += 1
    total.bytes += sizes[object] ?? 0
  }
  return totals.filter(({ kind, count }) => kind > 0 && count > 0)
}

/** For each of at most 32 types what its instances retain, those left out that another of the type dominates. */
function sumOutermost(
  { kindOf, kinds: all }: HeapGraph,
  { length, objectAt, dominator }: Dominators,
  { retained, kinds }: { readonly retained: Float64Array; readonly kinds: readonly number[] },
): Float64Array {
  const atOf = new Int8Array(all.length + 1).fill(-1)
  kinds.forEach((kind, at) => (atOf[kind] = at))
  const sums = new Float64Array(kinds.length)
  /** Which of the types dominate a place, a bit for each. */
  const above = new Uint32Array(length)
  for (let place = 1; place < length; place++) {
    const at = atOf[kindOf[objectAt[place] ?? 0] ?? 0] ?? -1
    const mask = above[dominator[place] ?? 0] ?? 0
    const bit = at < 0 ? 0 : (1 << at) >>> 0
    if (bit !== 0 && (mask & bit) === 0) sums[at] = (sums[at] ?? 0) + (retained[place] ?? 0)
    above[place] = (mask | bit) >>> 0
  }
  return sums
}

/** By place, which of the groups of places dominates it, from 1 on; the innermost of them, 0 where none does. */
export function attribute(
  { length, dominator }: Dominators,
  groups: readonly (readonly number[])[],
): Uint8Array {
  const owner = new Uint8Array(length)
  groups.slice(0, 255).forEach((places, at) => {
    for (const place of places) owner[place] = at + 1
  })
  for (let place = 1; place < length; place++)
    if (owner[place] === 0) owner[place] = owner[dominator[place] ?? 0] ?? 0
  return owner
}
