import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { CaptureFailed, Captured, Census, TypeRow } from '../model.ts'
import { parseSmaps } from '../proc/smaps.ts'
import { runLive } from './run-live.ts'
import type { Service } from './service.ts'

/** The service stands still for 0.1 to 0.25 s for a million objects; after this long nobody waits any more. */
const WITHIN_MS = 30_000

const Counted = z.object({
  objects: z.number().int().min(0),
  version: z.string().max(512),
  types: z
    .array(z.object({ type: z.string().max(512), count: z.number().int().min(0), bytes: z.literal(0) }))
    .max(300),
})

/**
 * The last rung of the ladder, only where the configuration allows it: counts the objects that the collector lists in
 * the service itself, which stands still meanwhile. Neither sizes nor owners are known.
 */
export async function countInline(
  service: Service,
  source: Buffer,
  because: CaptureFailed,
): Promise<Captured | CaptureFailed> {
  const began = performance.now()
  const ran = await runLive(service, source, WITHIN_MS)
  if (ran.kind === 'failed') return ran
  const counted = Counted.safeParse(parseJson(ran.result.toString('latin1')))
  if (!counted.success)
    return { kind: 'failed', reason: 'bad-payload-output', detail: 'the count in the service made no sense' }
  const ms = performance.now() - began
  const detail = `counted in the service itself, without sizes and owners, because no snapshot could be taken: ${because.detail}`
  return {
    kind: 'captured',
    method: 'in-process',
    pauseMs: ms,
    phases: [{ name: 'count in the service', ms }],
    attempts: 1,
    lost: [{ reason: because.reason, detail: because.detail }],
    truncated: { reason: 'in-process', detail },
    census: describe(counted.data, detail),
    memoryMap: { rows: parseSmaps(readFileSync(`${service.procRoot}/${service.id.pid}/smaps`, 'latin1')) },
  }
}

function describe(
  { objects, version, types }: { objects: number; version: string; types: readonly TypeRow[] },
  problem: string,
): Census {
  return {
    format: 1,
    complete: false,
    python: {
      version,
      implementation: 'cpython',
      executable: '',
      argv: [],
      moduleCount: 0,
      packages: [],
      extensions: [],
      threads: 0,
      tracemalloc: false,
    },
    gc: { enabled: true, counts: [], thresholds: [], frozen: 0, collected: 0, uncollectable: 0, garbage: 0 },
    objects,
    bytes: 0,
    types,
    owners: [],
    largest: [],
    stacks: [],
    problems: [problem],
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
