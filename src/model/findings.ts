import type { AllocationSite, Owner, TypeRow } from './inside.ts'

/** What analysis makes of a dump. */

export const SUSPECT_KINDS = [
  'owner',
  'unreachable',
  'unmet',
  'malloc',
  'fragmentation',
  'mapping',
  'shared-memory',
] as const
export type SuspectKind = (typeof SUSPECT_KINDS)[number]

export type Suspect = {
  readonly kind: SuspectKind
  /** One line that names it: `module shop.broker: POOL._dirty (set, 1,200 entries of Connection) keeps 150 MiB`. */
  readonly title: string
  readonly bytes: number
  /** Against the baseline; undefined without one. */
  readonly grownBytes?: number | undefined
  readonly evidence: readonly string[]
  readonly confidence: 'high' | 'medium' | 'low'
  /** Of Python objects, whose they are. */
  readonly owner?: Pick<Owner, 'kind' | 'scope' | 'path'> | undefined
  /** Of Python objects: the type that most of it is. */
  readonly type?: string | undefined
}

export type TypeGrowth = TypeRow & { readonly grownCount: number; readonly grownBytes: number }

/** A site and what has come to it since the baseline; undefined where that has no sites. */
export type SiteGrowth = AllocationSite & {
  readonly grownBytes?: number | undefined
  readonly grownCount?: number | undefined
}

/** How RSS is made up; the rows add up to `rssBytes`. */
export type Reconciliation = {
  readonly rssBytes: number
  readonly rows: readonly { readonly what: string; readonly bytes: number }[]
}

export const VERDICTS = [
  'python-objects',
  /** Blocks of Python's allocator that are in use, and that no object accounts for which was met. */
  'unmet-objects',
  'native',
  'fragmentation',
  'mapping',
  'shared-memory',
  'no-growth',
  'unknown',
] as const

export type Findings = {
  readonly dump: string
  readonly baseline?: string | undefined
  /** What to say in one sentence at three in the morning. */
  readonly headline: string
  readonly verdict: (typeof VERDICTS)[number]
  readonly suspects: readonly Suspect[]
  /** The same for the same leak everywhere; undefined where nobody is suspected. */
  readonly fingerprint?: string | undefined
  readonly reconciliation: Reconciliation
  readonly types: readonly TypeGrowth[]
  /** Where memory was allocated: by growth where the baseline knows it too, else by size. */
  readonly allocated?: readonly SiteGrowth[] | undefined
}
