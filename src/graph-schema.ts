import { z } from 'zod'
import { OwnerKind } from './census-schema.ts'

/** The lines of JSON in a graph, which come out of a snapshot or a dump that somebody was sent. */
const count = z.number().int().min(0).max(0xffff_fffe)
const text = z.string().max(4096)

export const GraphLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('graph'), objects: count, kinds: count }),
  z.object({
    kind: z.literal('graph-kinds'),
    kinds: z.array(
      z.object({
        type: z.string().max(512),
        bytes: count,
        walks: z.enum(['leaf', 'plain', 'dict', 'mapping', 'array']),
      }),
    ),
  }),
  z.object({
    kind: z.literal('graph-labels'),
    labels: z.array(
      z.object({ kind: OwnerKind, scope: text, path: text, isTop: z.boolean(), starts: z.array(count) }),
    ),
  }),
  z.object({ kind: z.literal('records'), bytes: count.max(2 ** 20) }),
  z.object({
    kind: z.literal('graph-names'),
    names: z.array(
      z.object({
        kind: count,
        places: z.array(z.string().max(200)).max(100),
        keys: z.array(z.tuple([count, z.string().max(200)])).max(100),
      }),
    ),
  }),
  z.object({
    kind: z.literal('graph-end'),
    references: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  }),
])
export type GraphLine = z.infer<typeof GraphLine>
