import { type CaptureOutcome, type Findings, type Notice, type ProcessId, processKey } from '../model.ts'
import { formatBytes } from './format.ts'
import type { ServiceState } from './service-state.ts'
import type { ToldDump, ToldEvent, ToldOutcome } from './told-event.ts'
import { visible } from './visible.ts'

/** When and where something is noticed. */
export type NoticePlace = { readonly at: string; readonly host: string }

/** What is to be told of an event; `state` is from before it. */
export function noticesOf(event: ToldEvent, state: ServiceState, place: NoticePlace): readonly Notice[] {
  if (event.kind === 'observed')
    return (event.observation.endings ?? []).flatMap(({ how, process, at }) =>
      how === 'oom-killed' ? [oomNotice(process, state, { ...place, at })] : [],
    )
  if (event.kind === 'finished') {
    const { process, fired } = event.request
    return outcomeNotices(event.outcome, whoIs(process, state), { ...place, rule: fired.rule })
  }
  if (event.kind !== 'disk' || !event.isNews || !event.isLow) return []
  const { dir, freeBytes } = event
  const message = `the store ${dir} has ${formatBytes(freeBytes)} left: no dump can be written`
  return [{ ...place, event: 'disk-low', message, free_bytes: freeBytes }]
}

type Who = Pick<Notice, 'pid' | 'target' | 'unit' | 'user' | 'namespace' | 'pod'>

function whoIs(id: ProcessId, { processes }: ServiceState): Who {
  const known = processes.get(processKey(id))?.process
  const { target, unit, user, container } = known ?? {}
  return { pid: id.pid, target, unit, user, namespace: container?.namespace, pod: container?.pod }
}

function oomNotice(id: ProcessId, state: ServiceState, place: NoticePlace): Notice {
  const known = state.processes.get(processKey(id))
  const who = whoIs(id, state)
  const message =
    known?.dump === undefined
      ? `${nameOf(who)} was killed by the OOM killer; since the daemon was started there was no dump of it`
      : `${nameOf(who)} was killed by the OOM killer; its last dump is ${known.dump}`
  return { ...place, ...who, event: 'oom', message, dump: known?.dump, rss_bytes: known?.rssBytes }
}

function outcomeNotices(
  outcome: ToldOutcome,
  who: Who,
  place: NoticePlace & { rule: string },
): readonly Notice[] {
  switch (outcome.kind) {
    case 'dumped':
      return [{ ...place, ...who, event: 'captured', ...dumpParts(outcome.published, who, outcome.findings) }]
    case 'dumped-outside':
      return [{ ...failure(outcome.outcome, who, place), dump: outcome.published.path }]
    case 'refused':
      // It waited for another capture, and is asked for again.
      return outcome.outcome.kind === 'failed' && outcome.outcome.reason === 'busy'
        ? []
        : [failure(outcome.outcome, who, place)]
    case 'not-stored': {
      const { reason, detail, hint } = outcome.failure
      const message = `the dump of ${nameOf(who)} could not be written: ${detail}`
      return [{ ...place, ...who, event: 'failed', message, reason, detail, hint }]
    }
    default:
      return outcome satisfies never
  }
}

function dumpParts(
  { path, manifest }: ToldDump,
  who: Who,
  findings: Findings,
): Omit<Notice, 'event' | 'at' | 'host'> {
  return {
    message: `${nameOf(who)} was captured by ${manifest.rule} at ${formatBytes(manifest.rss_bytes)}`,
    target: manifest.target,
    dump: path,
    rss_bytes: manifest.rss_bytes,
    pause_ms: manifest.pause_ms,
    verdict: findings.verdict,
    headline: visible(findings.headline, 2000),
    suspects: findings.suspects.slice(0, MOST_SUSPECTS).map(({ kind, title, bytes, confidence }) => ({
      kind,
      title: visible(title, 500),
      bytes,
      confidence,
    })),
  }
}

const MOST_SUSPECTS = 5

function failure(outcome: CaptureOutcome, who: Who, place: NoticePlace & { rule: string }): Notice {
  const { reason, detail, hint } =
    outcome.kind === 'failed' ? outcome : { reason: 'unknown', detail: '', hint: undefined }
  const message = `${nameOf(who)} could not be captured: ${reason}`
  return { ...place, ...who, event: 'failed', message, reason, detail: visible(detail), hint }
}

const nameOf = ({ target, pid }: Who): string => `${target ?? 'process'} (pid ${pid})`
