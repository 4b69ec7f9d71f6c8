import type { CaptureFailed, CaptureKind, CaptureOutcome, Captured } from '../model.ts'
import { bury } from './bury.ts'
import { countInline } from './count-inline.ts'
import { openGraphFile } from './graph-file.ts'
import { completeMap } from './memory-map.ts'
import { askFor } from './payload-text.ts'
import { seccompFilter } from './seccomp-filter.ts'
import type { Service } from './service.ts'
import { runSnapshot, type Because } from './snapshot.ts'
import { watchBudget, type BudgetSettings } from './snapshot-budget.ts'
import { closeSnapshotCgroup, openSnapshotCgroup, peakBytes } from './snapshot-cgroup.ts'
import { type FilePlace, writeCore } from './write-core.ts'
import { chooseFlags, takeSnapshot } from './take-snapshot.ts'
import { tryAgain } from './try-again.ts'
import { type CaptureSubject, type Entrance, type ServiceSettings, withService } from './with-service.ts'

export type { CaptureSubject }
export type CaptureSettings = ServiceSettings &
  BudgetSettings & {
    readonly payload: Buffer
    readonly kinds: readonly CaptureKind[]
    /** For the census in the snapshot. */
    readonly timeoutMs: number
    /** Of the cgroup that each snapshot is charged to. */
    readonly memoryLimitBytes?: number | undefined
    readonly onProgress: (objects: number) => void
    /** For `core` and `graph` among the kinds. */
    readonly core?: FilePlace | undefined
    readonly graph?: FilePlace | undefined
    /** Counts in the service itself where no snapshot can be had; undefined where that is not allowed. */
    readonly inlineSource?: Buffer | undefined
    /** Answers, as often as it is asked, why somebody else needs the turn now. */
    readonly giveWay?: (() => string | undefined) | undefined
  }

/** Where the service cannot be cloned, or its clones come to nothing, its own interpreter may still answer. */
const IN_PROCESS_MAY_DO: ReadonlySet<string> = new Set([
  'clone-refused',
  'snapshot-died',
  'snapshot-hung',
  'bad-payload-output',
])

/**
 * Takes one snapshot of a live process and reads it. The process stands still for some tens of milliseconds and is
 * otherwise left as it was; whatever goes wrong, goes wrong in the snapshot.
 */
export async function capture(subject: CaptureSubject, settings: CaptureSettings): Promise<CaptureOutcome> {
  return withService(subject, settings, async (entrance) => {
    const outcome = await captureWithRetries(entrance, settings)
    const { inlineSource } = settings
    return outcome.kind === 'failed' && inlineSource !== undefined && IN_PROCESS_MAY_DO.has(outcome.reason)
      ? countInline(entrance.service, inlineSource, outcome)
      : outcome
  })
}

async function captureWithRetries(
  { service, facts, phases }: Entrance,
  settings: CaptureSettings,
): Promise<CaptureOutcome> {
  const outcome = await tryAgain(settings.kinds, (attempt, kinds) =>
    captureOnce(service, { ...settings, kinds }, attempt),
  )
  if (outcome.kind === 'failed') return outcome
  return {
    ...outcome,
    memoryMap: completeMap(outcome.memoryMap, facts, service),
    phases: [...phases, ...outcome.phases].map(({ name, ms }) => ({ name, ms: round(ms) })),
  }
}

async function captureOnce(
  service: Service,
  settings: CaptureSettings,
  attempt: number,
): Promise<Captured | CaptureFailed> {
  const began = performance.now()
  const { onProgress, timeoutMs } = settings
  const kinds = settings.kinds.filter((kind) => kind !== 'core' && kind !== 'gc')
  const core = settings.kinds.includes('core') ? settings.core : undefined
  const graphPath = settings.kinds.includes('graph') ? await settings.graph?.path : undefined
  const workspace = {
    flags: chooseFlags(service, attempt),
    payload: askFor(settings.payload, kinds),
    filter: seccompFilter('census', 'x86_64'),
  }
  const taken = await takeSnapshot(service, workspace, core ? 2 * timeoutMs : timeoutMs)
  if (taken.kind === 'failed') return taken
  const requested = performance.now()
  const cgroup = openSnapshotCgroup(service.procRoot, service.id.pid, settings.memoryLimitBytes)
  const problems: string[] = []
  let coreMs = 0
  const result = await runSnapshot(service, taken, {
    workspace,
    cgroup,
    timeoutMs,
    kinds,
    openGraph: () =>
      graphPath === undefined ? undefined : openGraphFile(graphPath, settings.graph?.reserveBytes ?? 0),
    mustEnd: mustEnd(watchBudget(settings, { pid: taken.pid, cgroup }), settings.giveWay),
    onProgress,
    whileParked: async () => {
      if (!core) return
      const problem = await writeCore(taken.pid, { ...settings, ...core })
      if (problem !== undefined) problems.push(problem)
      coreMs = performance.now() - requested
    },
  })
  const finished = performance.now()
  await bury(service, taken)
  const copiedBytes = peakBytes(cgroup)
  closeSnapshotCgroup(cgroup)
  if (result.kind === 'failed') return result
  return {
    kind: 'captured',
    method: taken.cloned.method,
    pauseMs: round(service.pauseMs),
    phases: [
      { name: 'request and clone', ms: requested - began },
      ...(core ? [{ name: 'core of the snapshot', ms: coreMs }] : []),
      { name: 'census in the snapshot', ms: finished - requested - coreMs },
      { name: 'end the snapshot', ms: performance.now() - finished },
    ],
    attempts: attempt,
    lost: [],
    truncated: result.truncated,
    copiedBytes,
    census: { ...result.census, problems: [...result.census.problems, ...problems] },
    memoryMap: { rows: result.rows },
  }
}

const mustEnd =
  (isOverBudget: () => string | undefined, giveWay: () => string | undefined = () => undefined) =>
  (): Because | undefined => {
    const preempted = giveWay()
    if (preempted !== undefined) return { kind: 'preempted', detail: preempted }
    const detail = isOverBudget()
    return detail === undefined ? undefined : { kind: 'budget', detail }
  }

const round = (ms: number): number => Math.round(ms * 10) / 10
