import type { OwnerKind, TypeRow } from './inside.ts'

/** What analysis makes of a whole graph. */

/** Where memory piles up in a graph. */
export type GraphSuspect = {
  /** One object; the head of a chain of its like; or many of a type that several others hold together. */
  readonly kind: 'object' | 'chain' | 'group'
  readonly type: string
  /** How many links or members. */
  readonly count: number
  /** How it is reached: `module shop.broker: POOL._dirty[*].history`. */
  readonly where: string
  /** What would be free without it. */
  readonly retainedBytes: number
  /** Of what, largest first. */
  readonly holds: readonly TypeRow[]
  /** For a group: who refers to most of its members. */
  readonly holders: readonly { readonly where: string; readonly type: string; readonly members: number }[]
}

export type RetainedOwner = {
  readonly kind: OwnerKind
  readonly name: string
  readonly type: string
  /** How many objects go by this name. */
  readonly starts: number
  readonly retainedBytes: number
}

export type GraphFindings = {
  readonly objects: number
  readonly references: number
  /** Objects that some root leads to. */
  readonly reached: number
  readonly bytes: number
  readonly suspects: readonly GraphSuspect[]
  /** Largest first. */
  readonly owners: readonly RetainedOwner[]
  readonly types: readonly (TypeRow & { readonly retainedBytes: number })[]
}

/** What grew between two graphs; what the earlier one does not name had nothing worth naming then. */
export type GraphGrowth = {
  readonly beforeBytes: number
  readonly afterBytes: number
  readonly owners: readonly (RetainedOwner & { readonly grownBytes: number })[]
  readonly types: readonly (GraphFindings['types'][number] & { readonly grownBytes: number })[]
}
