import type { DecideConfig, Rule, Sample, WatchedProcess } from '../model.ts'
import { knownBy } from './advance.ts'
import { type Memory, type ProcessMemory, seenOf } from './memory.ts'
import { growthBytesPerMs } from './points.ts'
import { rulesFor } from './rules-for.ts'
import { type Reading, readCondition } from './rules.ts'

/** How far a process is from a rule. */
export type Distance = { readonly rule: Rule; readonly reading: Reading }

/** What is known of a process, and how far it is from everything. */
export type ProcessStanding = {
  readonly process: WatchedProcess
  readonly sample: Sample
  /** Over the window that was asked for; undefined as long as too little of it is seen. */
  readonly growthBytesPerMs: number | undefined
  /** Until the tightest limit, at this growth; undefined where it does not grow or there is none. */
  readonly leftMs: number | undefined
  /** Of the rules that are measured, the nearest first. */
  readonly distances: readonly Distance[]
}

/** Every process that was seen last time, with its distances to the rules that are meant for it. */
export const measureDistances = (
  memory: Memory,
  { rules }: Pick<DecideConfig, 'rules'>,
  nowMs: number,
  windowMs: number,
): readonly ProcessStanding[] =>
  seenOf(memory).flatMap((known) => {
    const { process, latest, points } = known
    if (process === undefined || latest === undefined) return []
    const growth = growthBytesPerMs(points, windowMs, nowMs)
    return [
      {
        process,
        sample: latest,
        growthBytesPerMs: growth,
        leftMs: timeLeft(latest, growth),
        distances: distancesOf({ known, process, memory }, rules, nowMs),
      },
    ]
  })

const distancesOf = (
  { known, process, memory }: { known: ProcessMemory; process: WatchedProcess; memory: Memory },
  rules: readonly Rule[],
  nowMs: number,
): readonly Distance[] =>
  rulesFor(process, rules)
    .flatMap((rule) => {
      const { when } = rule
      return when.kind !== 'schedule'
        ? [{ rule, reading: readCondition(when, knownBy(rule, known, memory), nowMs) }]
        : []
    })
    .toSorted((a, b) => needOf(b) - needOf(a))

const needOf = ({ reading }: Distance): number => (reading.kind === 'value' ? reading.need : -1)

const timeLeft = ({ limit }: Sample, growth: number | undefined): number | undefined =>
  growth === undefined || growth <= 0 || limit === undefined || limit.limitBytes <= 0
    ? undefined
    : Math.max(0, limit.limitBytes - limit.usedBytes) / growth
