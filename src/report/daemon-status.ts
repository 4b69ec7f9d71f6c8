import { formatBytes, formatDuration, formatShare } from './format.ts'
import { layOutTable, type Column, type TextStyle } from './layout.ts'
import type { KnownProcess, ServiceState } from './service-state.ts'
import { visible } from './visible.ts'

/** How a daemon is doing, as its socket and `pyheapctl status --json` tell it; times are ISO 8601. */
export type DaemonStatus = {
  readonly version: string
  readonly started_at: string
  /** It has looked at everything once. */
  readonly is_ready: boolean
  readonly is_capturing: boolean
  readonly targets: number
  readonly rules: number
  readonly captured: number
  readonly failed: number
  readonly oom_kills: number
  readonly last?: { readonly at: string; readonly what: string; readonly is_good: boolean } | undefined
  /** Why the configuration on disk is not the one in force. */
  readonly refused?: readonly string[] | undefined
  readonly paused_until?: string | undefined
  readonly disk?: { readonly free_bytes: number; readonly is_low: boolean } | undefined
  /** Dumps that are still to be sent, and what keeps them. */
  readonly uploads?: { readonly left: number; readonly problem?: string | undefined } | undefined
  readonly probe?: { readonly means: string; readonly watches: string } | undefined
  readonly rss_bytes: number
  /** Of one CPU, since the start. */
  readonly cpu_share: number
  readonly processes: readonly {
    readonly pid: number
    readonly target: string
    readonly unit?: string | undefined
    readonly user: string
    readonly rss_bytes?: number | undefined
    /** Of the tightest limit, 0…1. */
    readonly limit_share?: number | undefined
    /** Path of its last dump. */
    readonly dump?: string | undefined
  }[]
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** The state of a daemon for those who ask, with what it uses itself. */
export function daemonStatus(
  state: ServiceState,
  nowMs: number,
  own: { readonly rssBytes: number; readonly cpuShare: number },
): DaemonStatus {
  const { pausedUntilMs = 0, last, disk, probe } = state
  return {
    version: state.version,
    started_at: iso(state.startedMs),
    is_ready: state.hasLooked,
    is_capturing: state.isCapturing,
    targets: state.targets,
    rules: state.rules,
    captured: state.captured,
    failed: state.failed,
    oom_kills: state.oomKills,
    last: last && { at: iso(last.atMs), what: last.what, is_good: last.isGood },
    refused: state.refused,
    paused_until: pausedUntilMs > nowMs ? iso(pausedUntilMs) : undefined,
    disk: disk && { free_bytes: disk.freeBytes, is_low: disk.isLow },
    uploads: state.uploads,
    probe: probe?.kind === 'active' ? { means: probe.means, watches: probe.watches } : undefined,
    rss_bytes: own.rssBytes,
    cpu_share: own.cpuShare,
    processes: [...state.processes.values()].map(tellProcess),
  }
}

const tellProcess = ({
  process,
  rssBytes,
  limitShare,
  dump,
}: KnownProcess): DaemonStatus['processes'][number] => ({
  pid: process.id.pid,
  target: process.target,
  unit: process.unit,
  user: process.user,
  rss_bytes: rssBytes,
  limit_share: limitShare,
  dump,
})

const columns: readonly Column[] = [
  { head: 'pid', align: 'right' },
  { head: 'target', align: 'left' },
  { head: 'RSS', align: 'right' },
  { head: 'limit', align: 'right' },
  { head: 'last dump', align: 'left', gives: true },
]

const MOST_PROCESSES = 20

/** `pyheapctl status`: what is wrong in red, then what is watched. */
export function renderStatus(status: DaemonStatus, nowMs: number, style: TextStyle): string {
  const { palette } = style
  const { last, disk, probe, refused, uploads } = status
  const bad = (text: string): string => palette.red(text)
  const rows: readonly (readonly [string, string | undefined])[] = [
    [
      'config',
      refused && bad(`refused, the old one is in force: ${refused.map((line) => visible(line)).join('; ')}`),
    ],
    [
      'paused',
      status.paused_until &&
        palette.yellow(`until ${clock(status.paused_until)}; pyheapctl resume ends that`),
    ],
    [
      'daemon',
      `pyheap-watchd ${status.version}, up ${formatDuration(nowMs - Date.parse(status.started_at))}`,
    ],
    [
      'uses',
      `${formatBytes(status.rss_bytes)}, ${(status.cpu_share * 100).toFixed(1)} % of a CPU since its start`,
    ],
    ['probe', probe ? `${probe.watches} by ${probe.means}` : 'none, processes are polled'],
    ['rules', `${status.rules}, for ${status.targets} ${status.targets === 1 ? 'target' : 'targets'}`],
    [
      'captures',
      `${status.captured} good, ${status.failed} failed; ${status.oom_kills} OOM kills seen${status.is_capturing ? '; one runs now' : ''}`,
    ],
    ['last', last && (last.is_good ? String : bad)(`${visible(last.what)}, ${clock(last.at)}`)],
    [
      'uploads',
      uploads &&
        (uploads.problem === undefined ? String : bad)(
          `${uploads.left} to be sent${uploads.problem === undefined ? '' : `: ${visible(uploads.problem)}`}`,
        ),
    ],
    ['disk', disk && (disk.is_low ? bad : String)(`${formatBytes(disk.free_bytes)} free`)],
  ]
  const head = rows.flatMap(([name, text]) =>
    text === undefined ? [] : [`${palette.bold(name.padEnd(10))} ${text}`],
  )
  const largest = status.processes
    .toSorted((a, b) => (b.rss_bytes ?? 0) - (a.rss_bytes ?? 0))
    .slice(0, MOST_PROCESSES)
  const table = layOutTable(
    columns,
    largest.map(({ pid, target, rss_bytes: rssBytes, limit_share: share, dump }) => [
      { text: String(pid) },
      { text: visible(target) },
      { text: rssBytes === undefined ? '' : formatBytes(rssBytes) },
      { text: share === undefined ? '' : formatShare(share) },
      { text: dump === undefined ? '' : visible(dump.split('/').slice(-1).join('')) },
    ]),
    style,
  )
  const more = status.processes.length - largest.length
  const tail = more > 0 ? [`and ${more} more`] : []
  const watched = largest.length === 0 ? ['no Python process is named by a target'] : [...table, ...tail]
  return [...head, '', ...watched].map((line) => `${line}\n`).join('')
}

const clock = (at: string): string => `${at.slice(0, 19).replace('T', ' ')}Z`
