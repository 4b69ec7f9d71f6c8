import { formatBytes, formatDuration } from './format.ts'
import type { ServiceState } from './service-state.ts'
import { visible } from './visible.ts'

/** One line for `systemctl status`: what is wrong first, then what is watched, then what happened last. */
export function statusLine(state: ServiceState, nowMs: number): string {
  const { processes, targets, rules, last, disk, refused, pausedUntilMs, isCapturing } = state
  const count = processes.size
  const parts = [
    refused !== undefined &&
      `configuration REFUSED, the old one is in force (${refused[0] ?? ''}${refused.length > 1 ? `, and ${refused.length - 1} more` : ''})`,
    disk?.isLow === true && `DISK LOW: ${formatBytes(disk.freeBytes)} left`,
    pausedUntilMs !== undefined && pausedUntilMs > nowMs && `PAUSED until ${clock(pausedUntilMs)}`,
    `watching ${count} Python ${count === 1 ? 'process' : 'processes'} (targets: ${targets}, rules: ${rules})`,
    isCapturing && 'capturing',
    last !== undefined && `last: ${last.what}, ${clock(last.atMs)}`,
  ]
  return visible(parts.filter((part) => part !== false).join('; '), 500)
}

const clock = (atMs: number): string =>
  new Date(atMs).toISOString().slice(0, 19).replace('T', ' ').concat('Z')

/** The same at length, for `pyheapctl status`. */
export function renderStatus(status: StatusFacts): string {
  const { state, nowMs } = status
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['daemon', `pyheap-watchd ${state.version}, up ${formatDuration(nowMs - state.startedMs)}`],
    ['uses', `${formatBytes(status.rssBytes)}, ${(status.cpuShare * 100).toFixed(1)} % of a CPU`],
    ['watches', `${state.processes.size} processes; targets: ${state.targets}, rules: ${state.rules}`],
    ['probe', probeWords(state)],
    [
      'captures',
      `${state.captured} good, ${state.failed} failed; OOM kills seen: ${state.oomKills}${state.isCapturing ? '; one runs now' : ''}`,
    ],
    ['last', state.last && `${visible(state.last.what)}, ${clock(state.last.atMs)}`],
    [
      'disk',
      state.disk && `${formatBytes(state.disk.freeBytes)} free${state.disk.isLow ? ', TOO LITTLE' : ''}`,
    ],
    ['paused', (state.pausedUntilMs ?? 0) <= nowMs ? undefined : `until ${clock(state.pausedUntilMs ?? 0)}`],
    [
      'config',
      state.refused &&
        `REFUSED, the old one is in force: ${state.refused.map((line) => visible(line)).join('\n             ')}`,
    ],
  ]
  return rows.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(12)} ${text}\n`])).join('')
}

/** What `pyheapctl status` is told. */
export type StatusFacts = {
  readonly state: ServiceState
  readonly nowMs: number
  readonly rssBytes: number
  /** Since the start, of one CPU. */
  readonly cpuShare: number
}

const probeWords = ({ probe }: ServiceState): string => {
  if (probe?.kind === 'active') return `${probe.watches} by ${probe.means}`
  return 'none; processes are polled'
}
