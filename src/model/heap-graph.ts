import type { OwnerKind } from './inside.ts'

/** Every object of a process and what it refers to. Objects have numbers from 1 on, in the order of their addresses. */
export type HeapGraph = {
  readonly objects: number
  readonly kinds: readonly GraphKind[]
  readonly labels: readonly GraphLabel[]
  readonly names: AttributeNames
  /** By object: 1 + its place in `kinds`; 0 for what had gone when it was told. */
  readonly kindOf: Uint32Array
  readonly sizes: Float64Array
  readonly addresses: Float64Array
  /** Object n refers to `references` from `first[n]` to `first[n + 1]`; to itself in place of what the census left out. */
  readonly first: Uint32Array
  readonly references: Uint32Array
}

export type GraphKind = {
  readonly type: string
  /** Of each instance; 0 where they differ. */
  readonly bytes: number
  /** `dict`: references are keys and values by turns. */
  readonly walks: 'leaf' | 'plain' | 'dict' | 'mapping' | 'array'
}

/** A name that the way to an object may begin with, as the census gives it. */
export type GraphLabel = {
  readonly kind: OwnerKind
  readonly scope: string
  readonly path: string
  /** Whether it is reached through no other label. */
  readonly isTop: boolean
  readonly starts: readonly number[]
}

/** How attributes are called. */
export type AttributeNames = {
  /** By 1 + place of the kind: the name of each reference, or an empty one, of an instance with that many. */
  readonly places: ReadonlyMap<number, readonly string[]>
  /** By the number of the str that is the key in instances' dicts. */
  readonly keys: ReadonlyMap<number, string>
}

/** A graph that was made smaller; nodes have numbers from 1 on, and 0 stands for all objects that none of them dominates. */
export type FoldedGraph = {
  readonly graph: HeapGraph
  /** The object that a node is. */
  readonly objects: Uint32Array
  /** The node's own size and that of all that was folded into it. */
  readonly selfBytes: Float64Array
  readonly looseBytes: number
  /** References of node n are in `to` from `first[n]` to `first[n + 1]`, called `names[nameOf[…]]`. */
  readonly first: Uint32Array
  readonly to: Uint32Array
  readonly nameOf: Uint32Array
  readonly names: readonly string[]
  /** Nodes that go by a name. */
  readonly roots: readonly { readonly kind: string; readonly name: string; readonly node: number }[]
}
