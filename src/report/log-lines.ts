import type {
  CaptureOutcome,
  CaptureRequest,
  Findings,
  ProcessId,
  QuarantineChange,
  TraceOutcome,
  TraceRequest,
  Wait,
} from '../model.ts'
import type { LogLine } from './log-line.ts'
import { observationLines } from './observation-lines.ts'
import { probeLine } from './probe-line.ts'
import { uploadLine } from './upload-line.ts'
import type { ToldDump, ToldEvent, ToldOutcome, ToldStoreFailure } from './told-event.ts'

/** The lines that tell an event. */
export function linesOf(event: ToldEvent): readonly LogLine[] {
  switch (event.kind) {
    case 'observed':
      return observationLines(event.observation)
    case 'decided':
      return [
        ...(event.verdict.kind === 'wait' ? [] : [logRequest(event.verdict)]),
        ...event.quarantines.map((change) => logQuarantine(change)),
        ...waitLines(event.waits),
      ]
    case 'finished':
      return outcomeLines(event.request.process, event.outcome)
    case 'traced':
      return [logTrace(event.request, event.outcome)]
    case 'disk':
      return event.isNews ? [lifeLine(event)] : []
    case 'uploaded':
      return [uploadLine(event)]
    case 'probe':
    case 'reloaded':
    case 'config-refused':
    case 'paused':
    case 'restarted':
    case 'delivered':
      return [lifeLine(event)]
    default:
      return event satisfies never
  }
}

type OtherKind = 'observed' | 'decided' | 'finished' | 'traced' | 'uploaded'

function lifeLine(event: Exclude<ToldEvent, { readonly kind: OtherKind }>): LogLine {
  switch (event.kind) {
    case 'probe':
      return probeLine(event.state, event.isWanted)
    case 'reloaded': {
      const { targets, rules } = event
      return { level: 'info', fields: { targets, rules }, message: 'reloaded the configuration' }
    }
    case 'config-refused': {
      const problems = event.problems.slice(0, 20)
      const message = 'the new configuration is not valid, the old one stays in force'
      return { level: 'error', fields: { problems }, message }
    }
    case 'disk': {
      const { dir, freeBytes, isLow } = event
      const message = isLow ? 'the disk has no room for dumps' : 'the disk has room for dumps again'
      return { level: isLow ? 'error' : 'info', fields: { dir, freeBytes }, message }
    }
    case 'paused': {
      const { forMs } = event
      if (forMs === 0) return { level: 'info', fields: {}, message: 'rules are no longer paused' }
      return { level: 'warn', fields: { forMs }, message: 'rules are paused: nothing is captured by itself' }
    }
    case 'restarted': {
      const { unit, problem } = event
      const message =
        problem === undefined ? 'restarting the unit, as its rule says' : 'cannot restart the unit'
      return { level: 'warn', fields: { unit, detail: problem }, message }
    }
    case 'delivered': {
      const { to, what, problem } = event
      if (problem === undefined) return { level: 'info', fields: { to, what }, message: 'told' }
      return { level: 'warn', fields: { to, what, detail: problem }, message: 'could not be told' }
    }
    default:
      return event satisfies never
  }
}

const logRequest = ({ kind, process, fired, alsoFired }: CaptureRequest | TraceRequest): LogLine => ({
  level: 'info',
  fields: {
    pid: process.pid,
    rule: fired.rule,
    kind: fired.kind,
    value: fired.value,
    threshold: fired.threshold,
    alsoFired,
  },
  message: `${kind} begins`,
})

/** What became of a trace: it changes the service, so it is never quiet. */
function logTrace({ process: { pid }, fired: { rule } }: TraceRequest, outcome: TraceOutcome): LogLine {
  if (outcome.kind === 'failed') {
    const { reason, detail, hint } = outcome
    return { level: 'warn', fields: { pid, rule, reason, detail, hint }, message: 'trace failed' }
  }
  const { before, frames, pauseMs, method } = outcome
  return {
    level: 'info',
    fields: { pid, rule, frames, before, pauseMs, method },
    message:
      before >= frames
        ? 'tracemalloc runs in the service already, and is left alone'
        : 'started tracemalloc in the service',
  }
}

const logQuarantine = (change: QuarantineChange): LogLine => {
  const { pid } = change.process
  if (change.kind === 'ended') return { level: 'info', fields: { pid }, message: 'quarantine ended' }
  const { failures, leftMs } = change
  return {
    level: 'warn',
    fields: { pid, reason: 'quarantined', failures, leftMs: Math.round(leftMs) },
    message: 'quarantine begins: its captures failed in a row',
  }
}

// The quiet turn is told too; the reasons are counted, for there may be thousands of processes.
const waitLines = (waits: readonly Wait[]): readonly LogLine[] =>
  waits.length === 0
    ? []
    : [
        {
          level: 'debug',
          fields: { reasons: countReasons(waits), waits: waits.slice(0, 20) },
          message: 'not captured',
        },
      ]

function countReasons(waits: readonly Wait[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { reason } of waits) counts[reason] = (counts[reason] ?? 0) + 1
  return counts
}

function outcomeLines(process: ProcessId, outcome: ToldOutcome): readonly LogLine[] {
  switch (outcome.kind) {
    case 'dumped':
      return [...lostLines(outcome.published), logDump(outcome.published, outcome.findings)]
    case 'dumped-outside':
      return [logCapture(process, outcome.outcome), logDump(outcome.published)]
    case 'refused':
      return [logCapture(process, outcome.outcome)]
    case 'not-stored':
      return [logStoreFailure(outcome.failure)]
    default:
      return outcome satisfies never
  }
}

/** How a capture ended; a refused one is as loud as a failed one. */
export function logCapture(process: ProcessId, outcome: CaptureOutcome): LogLine {
  const { pid } = process
  switch (outcome.kind) {
    case 'captured': {
      const { method, pauseMs, attempts, phases, census } = outcome
      return {
        level: census.complete ? 'info' : 'warn',
        fields: {
          pid,
          method,
          pauseMs,
          attempts,
          phases,
          isComplete: census.complete,
          objects: census.objects,
        },
        message: 'captured',
      }
    }
    case 'failed': {
      const { reason, detail, hint } = outcome
      return { level: 'warn', fields: { pid, reason, detail, hint }, message: 'capture failed' }
    }
    default:
      return outcome satisfies never
  }
}

/** Snapshots that came to nothing on the way to a dump. */
const lostLines = ({ manifest }: ToldDump): readonly LogLine[] =>
  (manifest.lost ?? []).map(({ reason, detail }) => ({
    level: 'warn',
    fields: { pid: manifest.process.pid, reason, detail },
    message: 'snapshot lost, another was taken',
  }))

/** A dump that can be read now; one that is cut off is told louder, with the reason. */
export const logDump = (dump: ToldDump, findings?: Findings): LogLine => ({
  level: dump.manifest.truncated === undefined ? 'info' : 'warn',
  fields: {
    dump: dump.path,
    target: dump.manifest.target,
    rule: dump.manifest.rule,
    pid: dump.manifest.process.pid,
    outcome: dump.manifest.outcome,
    truncated: dump.manifest.truncated,
    rssBytes: dump.manifest.rss_bytes,
    pauseMs: dump.manifest.pause_ms,
    verdict: findings?.verdict,
    headline: findings?.headline,
  },
  message: 'dump published',
})

/** A dump that could not be kept, and what to do about it. */
export const logStoreFailure = ({ reason, detail, hint }: ToldStoreFailure): LogLine => ({
  level: 'error',
  fields: { reason, detail, hint },
  message: 'dump not written',
})
