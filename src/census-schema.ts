import { z } from 'zod'
import type { Census } from './model.ts'

/**
 * What a census looks like when it comes from outside: out of a snapshot, whose process is not to be trusted, or out of
 * a dump that somebody was sent. Strings and lists are bounded here, so nobody behind has to.
 */
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const text = z.string().max(4096)
const short = z.string().max(512)

const TypeRow = z.object({ type: short, count, bytes: count })

export const OwnerKind = z.enum(['module', 'class', 'frame', 'thread', 'task', 'interpreter', 'unreachable'])

const Owner = z.object({
  kind: OwnerKind,
  scope: text,
  path: text,
  type: short,
  entries: count.optional(),
  alike: count.optional(),
  entryTypes: z.array(z.object({ type: short, count })).max(16),
  objects: count,
  bytes: count,
  types: z.array(TypeRow).max(32),
  notes: z.array(text).max(16),
})

const LargeObject = z.object({ type: short, bytes: count, entries: count.optional() })

const ThreadStack = z.object({
  name: short,
  ident: z.number(),
  isMain: z.boolean(),
  frames: z.array(z.object({ file: text, line: z.number().int(), function: text })).max(256),
})

const GcState = z.object({
  enabled: z.boolean(),
  counts: z.array(z.number()).max(8),
  thresholds: z.array(z.number()).max(8),
  frozen: count,
  collected: count,
  uncollectable: count,
  garbage: count,
})

const PythonFacts = z.object({
  version: text,
  implementation: short,
  executable: text,
  argv: z.array(text).max(256),
  moduleCount: count,
  packages: z.array(z.object({ name: short, version: short })).max(2000),
  extensions: z.array(text).max(4000),
  threads: count,
  tracemalloc: z.boolean(),
})

const MallocState = z.object({
  inUseBytes: count,
  freeBytes: count,
  mmappedBytes: count,
  arenaBytes: count,
})

const DeviceMemory = z.object({ device: short, count, bytes: count })

const Pools = z.object({ count, bytes: count, usedBytes: count })

const Allocations = z.object({
  bytes: count,
  count,
  frames: count,
  overheadBytes: count,
  sites: z
    .array(
      z.object({
        bytes: count,
        count,
        frames: z.array(z.object({ file: short, line: z.number().int() })).max(64),
      }),
    )
    .max(100),
})

const problems = z.array(text).max(200)
const types = z.array(TypeRow).max(1000)

/** One line of the payload's output. */
export const CensusLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), format: z.literal(1) }),
  z.object({
    kind: z.literal('runtime'),
    python: PythonFacts,
    gc: GcState,
    allocatedBlocks: count.nullable(),
  }),
  z.object({ kind: z.literal('stacks'), threads: z.array(ThreadStack).max(1024) }),
  z.object({ kind: z.literal('tracked'), types }),
  z.object({ kind: z.literal('progress'), objects: count }),
  z.object({ kind: z.literal('types'), objects: count, bytes: count, types }),
  z.object({ kind: z.literal('largest'), objects: z.array(LargeObject).max(200) }),
  z.object({ kind: z.literal('owners'), owners: z.array(Owner).max(1000) }),
  z.object({ kind: z.literal('end'), problems }),
  z.object({ kind: z.literal('allocated'), problem: text.nullable() }).extend(Allocations.shape),
  z.object({ kind: z.literal('no-graph'), problem: text }),
  z.object({ kind: z.literal('error'), error: text }),
  z.object({ kind: z.literal('devices'), devices: z.array(DeviceMemory).max(16) }),
  z.object({ kind: z.literal('pools') }).extend(Pools.shape),
  z.object({ kind: z.literal('malloc') }).extend(MallocState.shape),
])
export type CensusLine = z.infer<typeof CensusLine>

/** census.json. */
export const CensusSchema = z.object({
  format: z.literal(1),
  complete: z.boolean(),
  python: PythonFacts,
  gc: GcState,
  allocatedBlocks: count.optional(),
  malloc: MallocState.optional(),
  pools: Pools.optional(),
  devices: z.array(DeviceMemory).max(16).optional(),
  objects: count,
  bytes: count,
  types,
  owners: z.array(Owner).max(4000),
  largest: z.array(LargeObject).max(200),
  stacks: z.array(ThreadStack).max(1024),
  allocations: Allocations.optional(),
  problems,
}) satisfies z.ZodType<Census>
