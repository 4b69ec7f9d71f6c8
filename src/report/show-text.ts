import type { Dump, Findings, MachineFacts, Reconciliation } from '../model.ts'
import { censusSections } from './census-text.ts'
import { formatBytes, formatDuration, formatShare } from './format.ts'
import { layOutTable, type TextStyle } from './layout.ts'
import { factLines, sectionLines, type Section } from './section.ts'
import { verdictLines } from './verdict-text.ts'
import { visible } from './visible.ts'

/** Everything that a dump says, the verdict first. */
export function renderShow(dump: Dump, findings: Findings, style: TextStyle): string {
  const sections: readonly Section[] = [
    { head: 'Process', lines: processLines(dump, findings, style) },
    { head: 'Capture', lines: captureLines(dump, style) },
    { head: 'Where the memory is', lines: reconciliationLines(findings.reconciliation, style) },
    ...censusSections(dump, findings, style),
  ]
  return `${[...verdictLines(findings, style), ...sections.flatMap((section) => sectionLines(section, style))].join('\n')}\n`
}

function processLines({ manifest, id }: Dump, findings: Findings, { width }: TextStyle): readonly string[] {
  const { process, target } = manifest
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['dump', id],
    ['baseline', findings.baseline],
    ['target', `${target}, pid ${process.pid}, user ${process.user}`],
    ['command', process.cmdline.join(' ').slice(0, 300)],
    ['program', `${process.exe}, Python ${manifest.python_version ?? 'of unknown version'}`],
    ['unit', process.unit],
    ['container', process.container_id],
    ['machine', manifest.machine && describeMachine(manifest.machine)],
  ]
  return facts.flatMap(([name, text]) =>
    text === undefined ? [] : factLines(name, visible(text, 400), width),
  )
}

const describeMachine = ({ os, kernel, architecture, cpus, memoryBytes }: MachineFacts): string =>
  `${os}, Linux ${kernel}, ${architecture}, ${cpus} CPUs, ${formatBytes(memoryBytes)}`

function captureLines({ manifest, outside, path }: Dump, { width }: TextStyle): readonly string[] {
  const { failure, pause_ms: pauseMs, attempts } = manifest
  const copied =
    manifest.copied_bytes === undefined ? '' : `; the snapshot copied ${formatBytes(manifest.copied_bytes)}`
  const core = manifest.files.find(({ name }) => name === 'core')
  const limit = manifest.fired.limit ?? outside.cgroup.limit
  const others = manifest.also_fired.length === 0 ? '' : `, also ${manifest.also_fired.join(', ')}`
  const phases = manifest.phases.slice(0, 20).map(({ name, ms }) => `${name} ${formatDuration(ms)}`)
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['when', manifest.started_at],
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
    ['phases', phases.length === 0 ? undefined : phases.join(', ')],
    ['truncated', manifest.truncated && `${manifest.truncated.reason}: ${manifest.truncated.detail}`],
    ['lost', manifest.lost?.map(({ reason, detail }) => `${reason}: ${detail}`).join('; ') || undefined],
    ['failed', failure && `${failure.reason}: ${failure.detail}`],
  ]
  return facts.flatMap(([name, text]) =>
    text === undefined ? [] : factLines(name, visible(text, 500), width),
  )
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

const valueFormats: Readonly<
  Record<Dump['manifest']['fired']['kind'], ((value: number) => string) | undefined>
> = {
  rss: formatBytes,
  limit: formatShare,
  growth: (bytesPerMs) => `${formatBytes(bytesPerMs * 60_000)}/min`,
  'time-to-limit': formatDuration,
  schedule: undefined,
  baseline: undefined,
  manual: undefined,
}

/** The parts of RSS with their shares; a bar shows at a glance which is the largest. */
export function reconciliationLines({ rows, rssBytes }: Reconciliation, style: TextStyle): readonly string[] {
  const cells = rows.slice(0, 20).map(({ what, bytes }) => {
    const share = rssBytes > 0 ? bytes / rssBytes : 0
    return [
      { text: formatBytes(bytes) },
      { text: formatShare(share) },
      { text: '█'.repeat(Math.round(share * 16)), paint: style.palette.cyan },
      { text: visible(what) },
    ]
  })
  return layOutTable(
    [
      { head: 'bytes', align: 'right' },
      { head: 'of RSS', align: 'right' },
      { head: '', align: 'left' },
      { head: `RSS ${formatBytes(rssBytes)}`, align: 'left', gives: true },
    ],
    cells,
    { ...style, width: style.width - 2 },
  )
}
