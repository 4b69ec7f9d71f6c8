import { z } from 'zod'
import { OwnerKind } from '../census-schema.ts'
import {
  CAPTURE_KINDS,
  MAP_KINDS,
  SUSPECT_KINDS,
  VERDICTS,
  type CaptureFailure,
  type Collections,
  type DumpManifest,
  type Ending,
  type Findings,
  type MemoryMap,
  type OutsideEvidence,
} from '../model.ts'
import { containerSchema } from './container-schema.ts'

/** What the files of a dump must look like; keys that are not known here come from a newer version and are dropped. */

const bytes = z.number().nonnegative()
const count = z.number().int().nonnegative()
const names = z.array(z.string()).max(10_000)

const limitUse = z.object({
  source: z.enum(['cgroup', 'rlimit-as', 'host']),
  limitBytes: bytes,
  usedBytes: bytes,
  where: z.string(),
})

const phases = z.array(z.object({ name: z.string(), ms: z.number() })).max(1000)

// A record, so that the compiler finds the reason that is missing here.
const failureReasons: Readonly<Record<CaptureFailure, true>> = {
  gone: true,
  busy: true,
  'not-root': true,
  'not-python': true,
  'unsupported-python': true,
  'not-permitted': true,
  'already-traced': true,
  stopped: true,
  'not-capturable-state': true,
  'seccomp-would-kill': true,
  'gdb-missing': true,
  'gdb-too-old': true,
  'gdb-failed': true,
  'gdb-timed-out': true,
  'not-taken': true,
  'clone-refused': true,
  'no-room': true,
  'not-enough-memory': true,
  'snapshot-died': true,
  'snapshot-hung': true,
  'snapshot-oom-killed': true,
  'bad-payload-output': true,
}
const failureReason = z.custom<CaptureFailure>(
  (value) => typeof value === 'string' && Object.hasOwn(failureReasons, value),
  'is no reason for a failed capture',
)

const firedKinds: Readonly<Record<DumpManifest['fired']['kind'], true>> = {
  rss: true,
  steps: true,
  ratchet: true,
  limit: true,
  growth: true,
  'time-to-limit': true,
  pressure: true,
  'memory-events': true,
  'cgroup-share': true,
  swap: true,
  pss: true,
  uss: true,
  age: true,
  all: true,
  any: true,
  schedule: true,
  baseline: true,
  manual: true,
}
const firedKind = z.custom<DumpManifest['fired']['kind']>(
  (value) => typeof value === 'string' && Object.hasOwn(firedKinds, value),
  'is no kind of condition',
)

/** dump.json */
export const manifestSchema: z.ZodType<DumpManifest> = z.object({
  format: z.literal(1),
  target: z.string(),
  rule: z.string(),
  fired: z.object({
    rule: z.string(),
    kind: firedKind,
    value: z.number().exactOptional(),
    threshold: z.number().exactOptional(),
    limit: limitUse.exactOptional(),
  }),
  also_fired: names,
  process: z.object({
    boot_id: z.string(),
    pid: count,
    start_ticks: count,
    exe: z.string(),
    cmdline: z.array(z.string()),
    user: z.string(),
    unit: z.string().optional(),
    inside_pid: count.optional(),
    container_id: z.string().optional(),
    container: containerSchema.optional(),
  }),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  rss_bytes: bytes,
  capture: z.array(z.enum(CAPTURE_KINDS)).optional(),
  outcome: z.enum(['captured', 'outside-only']),
  failure: z.object({ reason: failureReason, detail: z.string() }).optional(),
  method: z.enum(['pending-call', 'resting-thread', 'in-process', 'none']),
  pause_ms: z.number().nonnegative(),
  phases,
  attempts: count,
  copied_bytes: bytes.optional(),
  complete: z.boolean().optional(),
  truncated: z
    .object({
      reason: z.enum(['timeout', 'budget', 'preempted', 'snapshot-oom-killed', 'in-process']),
      detail: z.string(),
    })
    .optional(),
  lost: z
    .array(z.object({ reason: failureReason, detail: z.string() }))
    .max(100)
    .optional(),
  python_version: z.string().nullable(),
  machine: z
    .object({
      host: z.string().optional(),
      os: z.string(),
      kernel: z.string(),
      architecture: z.string(),
      cpus: count,
      memoryBytes: bytes,
    })
    .optional(),
  fingerprint: z
    .string()
    .regex(/^[\da-f]{12}$/)
    .optional(),
  // A name is joined to the dump's path, so it must not lead out of it.
  files: z
    .array(
      z.object({
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
        bytes: count,
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .max(100),
})

/** outside.json */
export const outsideSchema: z.ZodType<OutsideEvidence> = z.object({
  takenAt: z.string(),
  status: z.record(z.string(), z.string()),
  limits: z.array(z.object({ name: z.string(), soft: z.string(), hard: z.string() })).max(1000),
  cgroup: z.object({
    path: z.string(),
    counters: z.record(z.string(), z.number()),
    limit: limitUse.optional(),
  }),
  pressure: z.record(z.string(), z.string()),
  history: z.array(z.object({ secondsAgo: z.number().nonnegative(), rssBytes: bytes })).max(100_000),
})

/** memory-map.json */
export const memoryMapSchema: z.ZodType<MemoryMap> = z.object({
  rows: z
    .array(
      z.object({
        kind: z.enum(MAP_KINDS),
        path: z.string(),
        mappings: count,
        rssBytes: bytes,
        swapBytes: bytes,
      }),
    )
    .max(100_000),
})

const typeGrowth = z.object({
  type: z.string(),
  count,
  bytes,
  grownCount: z.number(),
  grownBytes: z.number(),
})

const siteGrowth = z.object({
  bytes,
  count,
  frames: z.array(z.object({ file: z.string(), line: z.number() })).max(100),
  grownBytes: z.number().optional(),
  grownCount: z.number().optional(),
})

/** findings.json */
export const findingsSchema: z.ZodType<Findings> = z.object({
  dump: z.string(),
  baseline: z.string().optional(),
  headline: z.string(),
  verdict: z.enum(VERDICTS),
  suspects: z
    .array(
      z.object({
        kind: z.enum(SUSPECT_KINDS),
        title: z.string(),
        bytes,
        grownBytes: z.number().optional(),
        evidence: z.array(z.string()).max(100),
        confidence: z.enum(['high', 'medium', 'low']),
        owner: z.object({ kind: OwnerKind, scope: z.string(), path: z.string() }).optional(),
        type: z.string().optional(),
      }),
    )
    .max(100),
  fingerprint: z.string().optional(),
  reconciliation: z.object({
    rssBytes: bytes,
    rows: z.array(z.object({ what: z.string(), bytes: z.number() })).max(1000),
  }),
  types: z.array(typeGrowth).max(10_000),
  allocated: z.array(siteGrowth).max(1000).optional(),
})

/** collections.json */
export const collectionsSchema: z.ZodType<Collections> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('traced'),
    ms: count,
    collections: z
      .array(z.object({ atMs: count, generation: count, microseconds: count, unreachable: count }))
      .max(10_000),
  }),
  z.object({ kind: z.literal('failed'), detail: z.string() }),
])

/** ending.json */
export const endingSchema: z.ZodType<Ending> = z.object({
  process: z.object({ bootId: z.string(), pid: count, startTicks: count }),
  how: z.enum(['oom-killed', 'ended', 'replaced']),
  at: z.iso.datetime(),
  oom: z
    .object({
      pid: count,
      name: z.string().max(64),
      within: z.enum(['cgroup', 'host']),
      virtualBytes: bytes,
      anonBytes: bytes,
      fileBytes: bytes,
      shmemBytes: bytes,
    })
    .optional(),
})
