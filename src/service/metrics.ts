import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type ProcessId, processKey, type Rule, type Wait } from '../model.ts'
import type { ServiceState } from '../report/service-state.ts'
import type { ToldEvent } from '../report/told-event.ts'
import { registerState } from './state-metrics.ts'

/** Counts what happens, and renders it as Prometheus reads it. Labels have the names of the configuration, never pids. */
export type Metrics = {
  readonly count: (event: ToldEvent, before: ServiceState) => void
  /** Tells of what has not happened yet: a counter that begins with 1 has never increased, as Prometheus sees it. */
  readonly declare: (targets: readonly string[], rules: readonly Pick<Rule, 'name' | 'targets'>[]) => void
  readonly render: () => Promise<string>
}

const MOST_LEAKS = 100

/** Of targets and rules together. */
const MOST_DECLARED = 2000

export function createMetrics(stateOf: () => ServiceState, now: () => number): Metrics {
  const registry = new Registry()
  const registers = [registry]
  registerState(registers, stateOf, now)
  const captures = new Counter({
    name: 'pyheap_captures_total',
    help: 'Captures by target, rule and how they ended: captured, outside-only, refused or not-stored.',
    labelNames: ['target', 'rule', 'outcome'],
    registers,
  })
  const failures = new Counter({
    name: 'pyheap_capture_failures_total',
    help: 'Captures and dumps that failed, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const pause = new Histogram({
    name: 'pyheap_capture_pause_seconds',
    help: 'How long services stood still for captures.',
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
    registers,
  })
  const duration = new Histogram({
    name: 'pyheap_capture_duration_seconds',
    help: 'From the verdict to the published dump.',
    buckets: [0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
    registers,
  })
  const verdicts = new Counter({
    name: 'pyheap_verdicts_total',
    help: 'What dumps said that memory was, by target.',
    labelNames: ['target', 'verdict'],
    registers,
  })
  const leaks = new Counter({
    name: 'pyheap_leaks_total',
    help: 'Dumps by the leak that they name: the same on every host, see `pyheapctl list --group`; `other` after the first 100.',
    labelNames: ['target', 'leak'],
    registers,
  })
  const known = new Set<string>()
  const bounded = (leak: string): string => {
    if (known.size < MOST_LEAKS) known.add(leak)
    return known.has(leak) ? leak : 'other'
  }
  const lastDump = new Gauge({
    name: 'pyheap_last_dump_timestamp_seconds',
    help: 'When the last dump of a target was published.',
    labelNames: ['target'],
    registers,
  })
  const kills = new Counter({
    name: 'pyheap_oom_kills_total',
    help: 'Watched processes that the OOM killer took, and whether there was a dump of them since the daemon was started.',
    labelNames: ['target', 'dumped'],
    registers,
  })
  const held = new Gauge({
    name: 'pyheap_rules_held_back',
    help: 'Pairs of rule and process that did not capture in the last turn, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const traces = new Counter({
    name: 'pyheap_traces_total',
    help: 'Times that tracemalloc was to be started in a service, by how that ended.',
    labelNames: ['outcome'],
    registers,
  })
  const reloads = new Counter({
    name: 'pyheap_config_reloads_total',
    help: 'Reloads of the configuration, by result: taken or refused.',
    labelNames: ['result'],
    registers,
  })
  const problems = new Counter({
    name: 'pyheap_observation_problems_total',
    help: 'Times that something could not be looked at.',
    registers,
  })
  const deliveries = new Counter({
    name: 'pyheap_deliveries_total',
    help: 'What was told to hooks, webhooks, the journal and stores of profiles, by result: told or failed.',
    labelNames: ['to', 'result'],
    registers,
  })

  const uploads = new Counter({
    name: 'pyheap_uploads_total',
    help: 'Dumps that were sent to the bucket, or could not be, by result: sent or failed.',
    labelNames: ['result'],
    registers,
  })
  const uploaded = new Counter({
    name: 'pyheap_uploaded_bytes_total',
    help: 'What was sent to the bucket and found there.',
    registers,
  })

  const countFinished = (
    { request, outcome }: Extract<ToldEvent, { readonly kind: 'finished' }>,
    before: ServiceState,
  ): void => {
    const target = targetOf(before, request.process)
    const { rule } = request.fired
    const words = {
      dumped: 'captured',
      'dumped-outside': 'outside-only',
      refused: 'refused',
      'not-stored': 'not-stored',
    }
    captures.inc({ target, rule, outcome: words[outcome.kind] })
    if (outcome.kind === 'not-stored') failures.inc({ reason: outcome.failure.reason })
    else if (outcome.kind !== 'dumped' && outcome.outcome.kind === 'failed')
      failures.inc({ reason: outcome.outcome.reason })
    if (outcome.kind === 'refused' || outcome.kind === 'not-stored') return
    const { pause_ms: pauseMs, started_at: begun, finished_at: ended } = outcome.published.manifest
    pause.observe(pauseMs / 1000)
    duration.observe(Math.max(0, Date.parse(ended) - Date.parse(begun)) / 1000)
    lastDump.set({ target }, Date.parse(ended) / 1000)
    if (outcome.kind !== 'dumped') return
    verdicts.inc({ target, verdict: outcome.findings.verdict })
    const { fingerprint } = outcome.findings
    if (fingerprint !== undefined) leaks.inc({ target, leak: bounded(fingerprint) })
  }

  const countEndings = (
    { observation }: Extract<ToldEvent, { readonly kind: 'observed' }>,
    before: ServiceState,
  ): void => {
    problems.inc(observation.problems?.length ?? 0)
    for (const { how, process } of observation.endings ?? [])
      if (how === 'oom-killed')
        kills.inc({ target: targetOf(before, process), dumped: hasDump(before, process) ? 'yes' : 'no' })
  }

  const countHeld = (waits: readonly Wait[]): void => {
    held.reset()
    for (const { reason } of waits) held.inc({ reason })
  }

  const count: Metrics['count'] = (event, before) => {
    switch (event.kind) {
      case 'observed':
        return countEndings(event, before)
      case 'decided':
        return countHeld(event.waits)
      case 'finished':
        return countFinished(event, before)
      case 'traced':
        return traces.inc({ outcome: event.outcome.kind === 'failed' ? event.outcome.reason : 'traced' })
      case 'reloaded':
      case 'config-refused':
        return reloads.inc({ result: event.kind === 'reloaded' ? 'taken' : 'refused' })
      case 'delivered':
        return deliveries.inc({ to: event.to, result: resultOf(event, 'told') })
      case 'uploaded':
        uploaded.inc(event.bytes)
        return uploads.inc({ result: resultOf(event, 'sent') })
      case 'disk':
      case 'paused':
      case 'probe':
      case 'restarted':
        return undefined // the state has them
      default:
        return event satisfies never
    }
  }
  const declare: Metrics['declare'] = (targets, rules) => {
    const pairs = rules.flatMap(({ name, targets: own }) =>
      (own.includes('*') ? targets : own).map((target) => ({ target, rule: name })),
    )
    for (const pair of pairs.slice(0, MOST_DECLARED)) captures.inc({ ...pair, outcome: 'captured' }, 0)
    for (const target of targets) for (const dumped of ['yes', 'no']) kills.inc({ target, dumped }, 0)
  }
  return { count, declare, render: () => registry.metrics() }
}

const resultOf = ({ problem }: { readonly problem?: unknown }, good: string): string =>
  problem === undefined ? good : 'failed'

const targetOf = ({ processes }: ServiceState, id: ProcessId): string =>
  processes.get(processKey(id))?.process.target ?? 'unknown'

const hasDump = ({ processes }: ServiceState, id: ProcessId): boolean =>
  processes.get(processKey(id))?.dump !== undefined
