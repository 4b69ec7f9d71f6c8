import type { CaptureFailed, CaptureKind, CaptureOutcome, Captured } from '../model.ts'
import { bury } from './bury.ts'
import { hostIsShort } from './host-memory.ts'
import { completeMap } from './memory-map.ts'
import { askFor } from './payload-text.ts'
import { seccompFilter } from './seccomp-filter.ts'
import type { Service } from './service.ts'
import { runSnapshot } from './snapshot.ts'
import { openSnapshotCgroup } from './snapshot-cgroup.ts'
import { chooseFlags, takeSnapshot } from './take-snapshot.ts'
import { type CaptureSubject, type Entrance, type ServiceSettings, withService } from './with-service.ts'

export type { CaptureSubject }
export type CaptureSettings = ServiceSettings & {
  readonly payload: Buffer
  readonly kinds: readonly CaptureKind[]
  /** For the census in the snapshot. */
  readonly timeoutMs: number
  readonly onProgress: (objects: number) => void
}

const MAX_ATTEMPTS = 3

/**
 * Takes one snapshot of a live process and reads it. The process stands still for some tens of milliseconds and is
 * otherwise left as it was; whatever goes wrong, goes wrong in the snapshot.
 */
export async function capture(subject: CaptureSubject, settings: CaptureSettings): Promise<CaptureOutcome> {
  return withService(subject, settings, (entrance) => captureWithRetries(entrance, settings))
}

/** A snapshot that hangs or dies costs the service nothing: another is taken, and told that threads are gone. */
async function captureWithRetries(
  { service, facts, phases }: Entrance,
  settings: CaptureSettings,
): Promise<CaptureOutcome> {
  let failure: CaptureFailed | undefined
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const outcome = await captureOnce(service, settings, attempt)
    if (outcome.kind === 'captured')
      return {
        ...outcome,
        memoryMap: completeMap(outcome.memoryMap, facts, service),
        phases: [...phases, ...outcome.phases].map(({ name, ms }) => ({ name, ms: round(ms) })),
      }
    failure ??= outcome
    if (outcome.reason !== 'snapshot-hung' && outcome.reason !== 'snapshot-died') return outcome
  }
  return failure ?? { kind: 'failed', reason: 'gone', detail: `process ${service.id.pid} has ended` }
}

async function captureOnce(
  service: Service,
  settings: CaptureSettings,
  attempt: number,
): Promise<Captured | CaptureFailed> {
  const began = performance.now()
  const workspace = {
    flags: chooseFlags(service, attempt),
    payload: askFor(settings.payload, settings.kinds),
    filter: seccompFilter('census'),
  }
  const taken = await takeSnapshot(service, workspace, settings.timeoutMs)
  if (taken.kind === 'failed') return taken
  const requested = performance.now()
  const { onProgress, timeoutMs, kinds } = settings
  const result = await runSnapshot(service, taken, {
    workspace,
    cgroup: openSnapshotCgroup(service.procRoot),
    timeoutMs,
    kinds,
    mustEnd: () => hostIsShort(settings),
    onProgress,
  })
  const finished = performance.now()
  await bury(service, taken)
  if (result.kind === 'failed') return result
  return {
    kind: 'captured',
    method: taken.cloned.method,
    pauseMs: round(service.pauseMs),
    phases: [
      { name: 'request and clone', ms: requested - began },
      { name: 'census in the snapshot', ms: finished - requested },
      { name: 'end the snapshot', ms: performance.now() - finished },
    ],
    attempts: attempt,
    census: result.census,
    memoryMap: { rows: result.rows },
  }
}

const round = (ms: number): number => Math.round(ms * 10) / 10
