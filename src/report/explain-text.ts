import {
  levelsOf,
  type Condition,
  type Container,
  type LevelCondition,
  type Sample,
  type WaitReason,
  type WatchedProcess,
} from '../model.ts'
import { describeContainer, pidText } from './container-text.ts'
import { explainMeasure } from './dump-facts.ts'
import { formatBytes, formatDuration, formatShare } from './format.ts'
import { layOutTable, type Cell, type TextStyle, wrap } from './layout.ts'
import { visible } from './visible.ts'

/** A rule, and what it makes of a process. */
export type ExplainedRule = {
  readonly name: string
  readonly when: Condition
  /** In the condition's own unit; undefined where nothing is measured, or not yet. */
  /** What was measured: of several the one that decides. */
  readonly of?: LevelCondition['kind'] | undefined
  readonly value?: number | undefined
  readonly threshold?: number | undefined
  /** 1 is at the threshold. */
  readonly need?: number | undefined
  /** What holds it back; undefined: it would fire now. */
  readonly reason?: WaitReason | undefined
}

/** Short, for a table of 80 columns; the README says more. */
const REASONS: Readonly<Record<WaitReason, string>> = {
  'below-threshold': 'not there yet',
  'not-long-enough': 'over it, not for long enough',
  latched: 'captured, and not back yet',
  'cooling-down': 'over it, cooling down',
  'process-quota': 'over it, process quota spent',
  'target-quota': 'over it, target quota spent',
  'host-quota': 'over it, host quota spent',
  spacing: 'over it, another was just captured',
  'not-enough-samples': 'too little seen yet',
  'no-limit': 'there is no limit',
  'not-told': 'the kernel does not tell',
  'less-urgent': 'another rule goes first',
  quarantined: 'over it, quarantined',
  paused: 'over it, but paused',
}

/** Whom it is about. */
type ExplainedSubject = Pick<WatchedProcess, 'target'> & {
  readonly id: Pick<WatchedProcess['id'], 'pid'>
  readonly insidePid?: number | undefined
  readonly container?: Container | undefined
}

/** Why a process would be captured now, or what each rule waits for. */
export function renderExplain(
  process: ExplainedSubject,
  sample: Pick<Sample, 'rssBytes' | 'limit'>,
  rules: readonly ExplainedRule[],
  style: TextStyle,
): string {
  const { limit } = sample
  const limited =
    limit === undefined
      ? ''
      : `; ${formatBytes(limit.usedBytes)} of ${formatBytes(limit.limitBytes)} (${limit.where}), ${formatShare(limit.usedBytes / Math.max(1, limit.limitBytes))}`
  const { id, insidePid, container, target } = process
  const where = container === undefined ? '' : `, container ${describeContainer(container)}`
  const head = `process ${pidText(id.pid, insidePid)}, target ${target}${where}: RSS ${formatBytes(sample.rssBytes)}${limited}`
  const table = layOutTable(
    [
      { head: 'rule', align: 'left' },
      { head: 'sees', align: 'right' },
      { head: 'fires', align: 'left', gives: true },
      { head: 'near', align: 'right' },
      { head: '', align: 'left' },
    ],
    rules.map((rule) => cellsOf(rule, style)),
    style,
  )
  const about = wrap(visible(head, 800), style.width)
  return `${[...about, ...(rules.length === 0 ? ['no rule is meant for it'] : ['', ...table])].join('\n')}\n`
}

function cellsOf(
  { name, when, of, value, need, reason }: ExplainedRule,
  { palette }: TextStyle,
): readonly Cell[] {
  const isDue = reason === undefined
  return [
    { text: visible(name, 30) },
    { text: value === undefined ? '' : explainMeasure(of ?? when.kind, value) },
    { text: visible(firesAt(when), 60) },
    { text: need === undefined || !Number.isFinite(need) ? '' : formatShare(need) },
    {
      text: isDue ? 'fires now' : when.kind === 'schedule' ? 'waits for its time' : REASONS[reason],
      paint: isDue ? palette.red : reason === 'below-threshold' ? palette.dim : palette.yellow,
    },
  ]
}

function firesAt(when: Condition): string {
  if (when.kind === 'schedule') return when.cron
  const parts = levelsOf(when).map((level) => levelFiresAt(level))
  return parts.join(when.kind === 'any' ? ' or ' : ' and ')
}

function levelFiresAt(when: LevelCondition): string {
  switch (when.kind) {
    case 'rss':
      return `above ${formatBytes(when.aboveBytes)}`
    case 'steps':
      return `above ${when.bytes.map((bytes) => formatBytes(bytes)).join(', ')}, once each`
    case 'ratchet':
      return `above ${formatBytes(when.aboveBytes)}, again at +${formatShare(when.riseShare)}`
    case 'limit':
      return `above ${formatShare(when.aboveShare)}`
    case 'growth':
      return `above ${formatBytes(when.aboveBytesPerMs * 60_000)}/min over ${formatDuration(when.windowMs)}`
    case 'time-to-limit':
      return `below ${formatDuration(when.belowMs)}`
    case 'pressure':
      return `${when.of} pressure above ${formatShare(when.aboveShare)}`
    case 'memory-events':
      return `more than ${when.aboveCount} ${when.event} in ${formatDuration(when.windowMs)}`
    case 'cgroup-share':
      return `above ${formatShare(when.aboveShare)} of its cgroup`
    case 'swap':
    case 'pss':
    case 'uss':
      return `${when.kind} above ${formatBytes(when.aboveBytes)}`
    case 'age':
      return `older than ${formatDuration(when.aboveMs)}`
    default:
      return when satisfies never
  }
}
