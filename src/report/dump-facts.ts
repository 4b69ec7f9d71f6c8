import type { DeviceMemory, Dump, Ending, Findings, MachineFacts } from '../model.ts'
import { describeContainer, dumpContainer, pidText } from './container-text.ts'
import { formatBytes, formatCount, formatDuration, formatShare } from './format.ts'

/** Something to know about a dump, and its name; there is none where the text is undefined. */
export type Fact = readonly [name: string, text: string | undefined]

/** Which process it was, on which machine. */
export function processFacts({ manifest, id, census }: Dump, findings: Findings): readonly Fact[] {
  const { process, target } = manifest
  const container = dumpContainer(manifest)
  return [
    ['dump', id],
    ['baseline', findings.baseline],
    ['target', `${target}, pid ${pidText(process.pid, process.inside_pid)}, user ${process.user}`],
    ['command', process.cmdline.join(' ').slice(0, 300)],
    ['program', `${process.exe}, Python ${manifest.python_version ?? 'of unknown version'}`],
    ['unit', process.unit],
    ['container', container && describeContainer(container)],
    ['devices', census?.devices?.map(describeDevice).join(', ')],
    ['machine', manifest.machine && describeMachine(manifest.machine)],
  ]
}

const describeDevice = ({ device, count, bytes }: DeviceMemory): string =>
  `${formatCount(count)} storages hold ${formatBytes(bytes)} on ${device}, which is no part of RSS`

const describeMachine = ({ os, kernel, architecture, cpus, memoryBytes }: MachineFacts): string =>
  `${os}, Linux ${kernel}, ${architecture}, ${cpus} CPUs, ${formatBytes(memoryBytes)}`

/** Why the dump was taken, how, and what that cost. */
export function captureFacts({ id, manifest, outside, path, ending }: Dump): readonly Fact[] {
  const { failure, pause_ms: pauseMs, attempts } = manifest
  const copied =
    manifest.copied_bytes === undefined ? '' : `; the snapshot copied ${formatBytes(manifest.copied_bytes)}`
  const core = manifest.files.find(({ name }) => name === 'core')
  const graph = manifest.files.find(({ name }) => name === 'graph.gz')
  const limit = manifest.fired.limit ?? outside.cgroup.limit
  const others = manifest.also_fired.length === 0 ? '' : `, also ${manifest.also_fired.join(', ')}`
  const phases = manifest.phases.slice(0, 20).map(({ name, ms }) => `${name} ${formatDuration(ms)}`)
  return [
    ['when', manifest.started_at],
    ['ended', ending && describeEnding(ending, manifest.started_at)],
    ['why', `${explainFired(manifest.fired)}${others}`],
    [
      'limit',
      limit &&
        `${formatBytes(limit.usedBytes)} of ${formatBytes(limit.limitBytes)} (${limitNames[limit.source]}${limit.source === 'cgroup' ? ` ${limit.where}` : ''})`,
    ],
    [
      'cost',
      `the service stood still for ${formatDuration(pauseMs)}; ${manifest.method}, attempt ${attempts}${copied}`,
    ],
    [
      'core',
      core && `${formatBytes(core.bytes)}; look into it with: gdb ${manifest.process.exe} ${path}/core`,
    ],
    ['graph', graph && `${formatBytes(graph.bytes)}; what retains what is told by: pyheapctl graph ${id}`],
    ['phases', phases.length === 0 ? undefined : phases.join(', ')],
    ['truncated', manifest.truncated && `${manifest.truncated.reason}: ${manifest.truncated.detail}`],
    ['lost', manifest.lost?.map(({ reason, detail }) => `${reason}: ${detail}`).join('; ') || undefined],
    ['failed', failure && `${failure.reason}: ${failure.detail}`],
  ]
}

/** How the process has ended, and how long after the dump was begun. */
export function describeEnding({ how, at, oom }: Ending, startedAt: string): string {
  const later = Date.parse(at) - Date.parse(startedAt)
  const when = later >= 0 ? `${formatDuration(later)} after this capture began` : at
  if (how === 'replaced') return `the process ran another program ${when}`
  if (how === 'ended') return `the process ended ${when}`
  const numbers =
    oom &&
    `: ${formatBytes(oom.anonBytes)} anonymous, ${formatBytes(oom.fileBytes + oom.shmemBytes)} of files`
  return `killed ${when}, by the OOM killer, for want of memory ${oom?.within === 'cgroup' ? 'in its cgroup' : 'on the host'}${numbers ?? ''}`
}

const limitNames = { cgroup: 'cgroup', 'rlimit-as': 'RLIMIT_AS', host: 'memory of the host' }

/** Why a rule fired, in the units that its condition was written in. */
export function explainFired(fired: Dump['manifest']['fired']): string {
  if (fired.kind === 'manual') return 'asked for by hand'
  if (fired.kind === 'baseline') return 'baseline of the process'
  const format = fired.value === undefined ? undefined : valueFormats[fired.kind]
  if (format === undefined || fired.value === undefined) return `rule ${fired.rule} (${fired.kind})`
  const threshold = fired.threshold === undefined ? '' : `, threshold ${format(fired.threshold)}`
  return `rule ${fired.rule}: ${fired.kind} ${format(fired.value)}${threshold}`
}

/** What a condition measured, in the unit that it was written in. */
export const explainMeasure = (kind: Dump['manifest']['fired']['kind'], value: number): string =>
  Number.isFinite(value) ? (valueFormats[kind]?.(value) ?? '') : 'never'

const valueFormats: Readonly<
  Record<Dump['manifest']['fired']['kind'], ((value: number) => string) | undefined>
> = {
  rss: formatBytes,
  steps: formatBytes,
  ratchet: formatBytes,
  swap: formatBytes,
  pss: formatBytes,
  uss: formatBytes,
  limit: formatShare,
  'cgroup-share': formatShare,
  pressure: formatShare,
  'memory-events': formatCount,
  age: formatDuration,
  all: undefined,
  any: undefined,
  growth: (bytesPerMs) => `${formatBytes(bytesPerMs * 60_000)}/min`,
  'time-to-limit': formatDuration,
  schedule: undefined,
  baseline: undefined,
  manual: undefined,
}
