import type {
  CaptureOutcome,
  CaptureRequest,
  Captured,
  Collections,
  Container,
  Dump,
  DumpManifest,
  Findings,
  MachineFacts,
  OutsideEvidence,
  PythonProcess,
  Sample,
} from './model.ts'
import { LARGE_FILES, type LargeFileName } from './store/dump-files.ts'
import type { PartialDump, Published } from './store/partial-dump.ts'
import type { StoreFailed } from './store/io-failure.ts'

/** What a dump is made from besides the capture itself. */
export type DumpJob = {
  readonly process: PythonProcess
  readonly target: string
  readonly request: CaptureRequest
  readonly sample: Sample
  /** When the verdict fell, ISO 8601 with milliseconds. */
  readonly startedAt: string
}

/** The stages that a dump goes through, in order. */
export type DumpStages = {
  readonly readOutside: (job: DumpJob) => OutsideEvidence
  /** Whether a dump would find room, before anything is done to the process. */
  readonly checkRoom: () => Promise<StoreFailed | undefined>
  readonly openDump: (job: DumpJob) => Promise<PartialDump | StoreFailed>
  /** `pathOf` says where a large file of the dump may be written, as soon as there is such a place. */
  readonly capture: (
    job: DumpJob,
    pathOf: (name: LargeFileName) => Promise<string | undefined>,
  ) => Promise<CaptureOutcome>
  /** What the collector of the process does meanwhile, where that was asked for. */
  readonly listenToCollector: (job: DumpJob) => Promise<Collections | undefined>
  readonly findBaseline: (dump: Dump) => Promise<Dump | undefined>
  readonly analyse: (dump: Dump, baseline: Dump | undefined) => Findings
  readonly renderSummary: (findings: Findings) => string
  /** The dump as a page, for a browser. */
  readonly renderPage: (dump: Dump, findings: Findings) => string
  readonly readMachine: () => Promise<MachineFacts>
  readonly now: () => Date
}

export type DumpOutcome =
  | { readonly kind: 'dumped'; readonly published: Published; readonly findings: Findings }
  /** The evidence from outside is published; the process itself could not be looked into. */
  | { readonly kind: 'dumped-outside'; readonly published: Published; readonly outcome: CaptureOutcome }
  | { readonly kind: 'refused'; readonly outcome: Extract<CaptureOutcome, { kind: 'failed' }> }
  | { readonly kind: 'not-stored'; readonly failure: StoreFailed }

/** One capture from evidence to a published dump. Nothing is visible in the store before it is whole. */
export async function takeDump(job: DumpJob, stages: DumpStages): Promise<DumpOutcome> {
  const began = performance.now()
  const outside = stages.readOutside(job)
  const noRoom = await stages.checkRoom()
  if (noRoom) return { kind: 'not-stored', failure: noRoom }
  const prepared = { name: 'evidence from outside', ms: Math.round(performance.now() - began) }
  // At the same time: the disk may be slow, and the process may have no time left.
  const opening = stages.openDump(job)
  const pathOf = async (name: LargeFileName): Promise<string | undefined> => {
    const opened = await opening
    return opened.kind === 'failed' ? undefined : opened.pathOf(name)
  }
  const [partial, outcome, collections] = await Promise.all([
    opening,
    stages.capture(job, pathOf),
    stages.listenToCollector(job),
  ])
  if (partial.kind === 'failed') return { kind: 'not-stored', failure: partial }
  if (outcome.kind === 'failed' && !isWorthKeeping(job, outcome)) {
    await partial.discard()
    return { kind: 'refused', outcome }
  }
  for (const name of LARGE_FILES) await partial.adopt(name)
  const machine = await stages.readMachine()
  const described = describe(job, outcome, stages.now().toISOString())
  const manifest = { ...described, phases: [prepared, ...described.phases], machine }
  const dump: Dump = {
    id: partial.id,
    path: partial.path,
    manifest: { ...manifest, files: [] },
    outside,
    collections,
    ...(outcome.kind === 'captured' ? { census: outcome.census, memoryMap: outcome.memoryMap } : {}),
  }
  const findings = stages.analyse(dump, await stages.findBaseline(dump))
  await writeAll(partial, {
    outside,
    outcome,
    collections,
    findings,
    summary: stages.renderSummary(findings),
    page: stages.renderPage(dump, findings),
  })
  const published = await partial.publish({ ...manifest, fingerprint: findings.fingerprint })
  if (published.kind === 'failed') return { kind: 'not-stored', failure: published }
  return outcome.kind === 'captured'
    ? { kind: 'dumped', published, findings }
    : { kind: 'dumped-outside', published, outcome }
}

/** A rule that fired has found something; who asks by hand for what cannot be had wants to be told, not a file. */
const isWorthKeeping = ({ request }: DumpJob, { reason }: { readonly reason: string }): boolean =>
  request.fired.kind !== 'manual' && reason !== 'gone' && reason !== 'not-python' && reason !== 'busy'

async function writeAll(
  partial: PartialDump,
  parts: {
    readonly outside: OutsideEvidence
    readonly outcome: CaptureOutcome
    readonly collections: Collections | undefined
    readonly findings: Findings
    readonly summary: string
    readonly page: string
  },
): Promise<void> {
  // A failed write is remembered and comes back from publish.
  await partial.write('outside.json', toJson(parts.outside))
  if (parts.outcome.kind === 'captured') {
    await partial.write('census.json', toJson(parts.outcome.census))
    await partial.write('memory-map.json', toJson(parts.outcome.memoryMap))
  }
  if (parts.collections) await partial.write('collections.json', toJson(parts.collections))
  await partial.write('findings.json', toJson(parts.findings))
  await partial.write('summary.txt', parts.summary)
  await partial.write('report.html', parts.page)
}

const toJson = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`

function describe(job: DumpJob, outcome: CaptureOutcome, finishedAt: string): Omit<DumpManifest, 'files'> {
  const { process, request, sample } = job
  return {
    format: 1,
    target: job.target,
    rule: request.fired.rule,
    fired: request.fired,
    also_fired: request.alsoFired,
    process: {
      boot_id: process.id.bootId,
      pid: process.id.pid,
      start_ticks: process.id.startTicks,
      exe: process.exe,
      cmdline: process.cmdline,
      user: process.user,
      unit: process.unit,
      inside_pid: process.insidePid,
      container_id: process.container?.id,
      container: process.container && describeContainer(process.container),
    },
    started_at: job.startedAt,
    finished_at: finishedAt,
    rss_bytes: sample.rssBytes,
    capture: request.capture,
    ...describeOutcome(outcome),
  }
}

const describeContainer = ({
  runtime,
  podUid,
  pod,
  namespace,
  name,
  image,
  labels,
}: Container): DumpManifest['process']['container'] => ({
  runtime,
  pod_uid: podUid,
  pod,
  namespace,
  name,
  image,
  labels,
})

function describeOutcome(
  outcome: CaptureOutcome,
): Pick<
  DumpManifest,
  | 'outcome'
  | 'failure'
  | 'method'
  | 'pause_ms'
  | 'phases'
  | 'attempts'
  | 'copied_bytes'
  | 'complete'
  | 'truncated'
  | 'lost'
  | 'python_version'
> {
  if (outcome.kind === 'captured')
    return { outcome: 'captured', ...cost(outcome), python_version: outcome.census.python.version }
  const { reason, detail } = outcome
  return {
    outcome: 'outside-only',
    failure: { reason, detail },
    method: 'none',
    pause_ms: 0,
    phases: [],
    attempts: 0,
    complete: false,
    python_version: null,
  }
}

const cost = ({ method, pauseMs, phases, attempts, copiedBytes, lost, truncated, census }: Captured) => ({
  method,
  pause_ms: pauseMs,
  phases,
  attempts,
  copied_bytes: copiedBytes,
  complete: census.complete,
  truncated,
  lost,
})
