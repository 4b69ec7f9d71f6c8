import type { LimitUse } from '../model.ts'

/** What is inside a process, as a census tells it. */

export type TypeRow = { readonly type: string; readonly count: number; readonly bytes: number }

export type OwnerKind = 'module' | 'class' | 'frame' | 'thread' | 'task' | 'interpreter' | 'unreachable'

/**
 * Who keeps objects alive, and how much. Every object is attributed once, to the owner through which it was
 * reached first, so owners can be added up.
 */
export type Owner = {
  readonly kind: OwnerKind
  /** Where to look: `shop.broker`, `shop.api.Client`, `thread worker-3: handle (api.py:41)`. */
  readonly scope: string
  /** The name inside the scope, with the way down to the container: `POOL._dirty`. */
  readonly path: string
  readonly type: string
  /** Number of entries where it is a container. */
  readonly entries?: number | undefined
  /** How many that are named alike this stands for: modules `plugin_*`, threads in one function. */
  readonly alike?: number | undefined
  /** Types of the direct entries, most frequent first, at most 5. */
  readonly entryTypes: readonly { readonly type: string; readonly count: number }[]
  readonly objects: number
  readonly bytes: number
  /** What it holds by type, largest first, at most 8. */
  readonly types: readonly TypeRow[]
  /** Facts worth a sentence: `lru_cache maxsize=None hits=0 misses=1600`. */
  readonly notes: readonly string[]
}

export type LargeObject = {
  readonly type: string
  readonly bytes: number
  readonly entries?: number | undefined
}

export type StackFrame = { readonly file: string; readonly line: number; readonly function: string }

export type ThreadStack = {
  readonly name: string
  readonly ident: number
  readonly isMain: boolean
  /** Innermost call first. */
  readonly frames: readonly StackFrame[]
}

export type GcState = {
  readonly enabled: boolean
  readonly counts: readonly number[]
  readonly thresholds: readonly number[]
  readonly frozen: number
  readonly collected: number
  readonly uncollectable: number
  readonly garbage: number
}

/** A garbage collection, as the interpreter's own probes tell it. */
export type Collection = {
  /** Since the listening began. */
  readonly atMs: number
  readonly generation: number
  readonly microseconds: number
  /** Objects that were found unreachable. */
  readonly unreachable: number
}

/** What the collector did in the service itself for some seconds while its snapshot was looked at. */
export type Collections =
  | { readonly kind: 'traced'; readonly ms: number; readonly collections: readonly Collection[] }
  | { readonly kind: 'failed'; readonly detail: string }

export type PythonFacts = {
  readonly version: string
  readonly implementation: string
  readonly executable: string
  readonly argv: readonly string[]
  readonly moduleCount: number
  /** Versions of imported packages that say one. */
  readonly packages: readonly { readonly name: string; readonly version: string }[]
  /** Extension modules loaded from shared objects. */
  readonly extensions: readonly string[]
  readonly threads: number
  readonly tracemalloc: boolean
}

/** glibc's mallinfo2 of the snapshot: what malloc has handed out and what it keeps back. */
export type MallocState = {
  readonly inUseBytes: number
  readonly freeBytes: number
  readonly mmappedBytes: number
  readonly arenaBytes: number
}

/** Storages that Python objects own on a device, as tensors do on a GPU: no part of RSS. */
export type DeviceMemory = { readonly device: string; readonly count: number; readonly bytes: number }

/** pymalloc's pools, in which all small objects lie. */
export type Pools = {
  readonly count: number
  /** What they take in memory. */
  readonly bytes: number
  /** Blocks that are in use; the rest is free, and stays with the process as long as its arena has any. */
  readonly usedBytes: number
}

export type SourceLine = { readonly file: string; readonly line: number }

/** Where memory was allocated that has not been freed since. */
export type AllocationSite = {
  readonly bytes: number
  readonly count: number
  /** The line that allocated, then its callers, of the traceback through which most of it came. */
  readonly frames: readonly SourceLine[]
}

/** What tracemalloc knows, of allocations since it runs. */
export type Allocations = {
  /** Of all sites together. */
  readonly bytes: number
  readonly count: number
  /** How many calls of each allocation it remembers, and the memory that this takes in the service. */
  readonly frames: number
  readonly overheadBytes: number
  /** Largest first, at most 100. */
  readonly sites: readonly AllocationSite[]
}

/** What the payload found inside the snapshot. */
export type Census = {
  readonly format: 1
  /** False when the snapshot had to be killed: what was streamed until then. */
  readonly complete: boolean
  readonly python: PythonFacts
  readonly gc: GcState
  /** Blocks that pymalloc has handed out, where the interpreter says so. */
  readonly allocatedBlocks?: number | undefined
  readonly malloc?: MallocState | undefined
  /** Where the native walk could look at them. */
  readonly pools?: Pools | undefined
  readonly devices?: readonly DeviceMemory[] | undefined
  readonly objects: number
  readonly bytes: number
  readonly types: readonly TypeRow[]
  /** Largest first; the rest is folded into one owner of kind `interpreter`. */
  readonly owners: readonly Owner[]
  readonly largest: readonly LargeObject[]
  readonly stacks: readonly ThreadStack[]
  /** Where tracemalloc runs in the service. */
  readonly allocations?: Allocations | undefined
  /** What the payload met and had to leave out. */
  readonly problems: readonly string[]
}

export const MAP_KINDS = [
  'heap',
  'anonymous',
  /** Of the main thread. */
  'stack',
  /** Of another thread: anonymous, with a guard before it. */
  'thread-stack',
  /** One of those that glibc's malloc makes for threads; their number says how many. */
  'malloc-arena',
  'file',
  'deleted-file',
  'shared-memory',
  /** Memory of a device, as of a GPU. */
  'device',
  'executable',
  'kernel',
] as const
export type MapKind = (typeof MAP_KINDS)[number]

/** Memory that no file stands behind. */
export const ANONYMOUS_KINDS: readonly MapKind[] = [
  'heap',
  'anonymous',
  'stack',
  'thread-stack',
  'malloc-arena',
]

export type MapRow = {
  readonly kind: MapKind
  /** The file or shared segment; empty for anonymous memory. */
  readonly path: string
  readonly mappings: number
  readonly rssBytes: number
  readonly swapBytes: number
}

/** Resident memory by what it is, largest first. */
export type MemoryMap = { readonly rows: readonly MapRow[] }

/** Evidence from outside, taken first and without ptrace. */
export type OutsideEvidence = {
  readonly takenAt: string
  readonly status: Readonly<Record<string, string>>
  readonly limits: readonly { readonly name: string; readonly soft: string; readonly hard: string }[]
  readonly cgroup: {
    readonly path: string
    readonly counters: Readonly<Record<string, number>>
    readonly limit?: LimitUse | undefined
  }
  readonly pressure: Readonly<Record<string, string>>
  readonly history: readonly RssPoint[]
}

/** Seconds before the capture, and the RSS then. */
export type RssPoint = { readonly secondsAgo: number; readonly rssBytes: number }
