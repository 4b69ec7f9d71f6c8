import type {
  DecideConfig,
  LimitUse,
  Observation,
  Rule,
  Sample,
  Trigger,
  WatchedProcess,
} from '../../src/model.ts'
import { decide, type Decision } from '../../src/decide/decide.ts'
import { emptyMemory, remember, rememberCapture, type Memory } from '../../src/decide/memory.ts'

export const MiB = 2 ** 20
export const second = 1000
export const minute = 60_000

export const watched = (pid: number, given: Partial<WatchedProcess> = {}): WatchedProcess => ({
  id: { bootId: 'boot', pid, startTicks: pid * 10 },
  parentPid: 1,
  exe: '/usr/bin/python3.11',
  interpreter: '/usr/bin/python3.11',
  cmdline: ['python3'],
  uid: 0,
  user: 'root',
  cgroup: '/',
  target: 'api',
  ...given,
})

export const rule = (given: Partial<Rule> = {}): Rule => ({
  name: 'rss-high',
  targets: ['*'],
  when: { kind: 'rss', aboveBytes: 100 * MiB, clearBelowBytes: 90 * MiB },
  forMs: 0,
  cooldownMs: 0,
  action: { kind: 'capture', capture: ['census'] },
  ...given,
})

export const config = (rules: readonly Rule[], given: Partial<DecideConfig> = {}): DecideConfig => ({
  rules,
  perProcess: { max: 100, windowMs: 60 * minute },
  perTarget: { max: 100, windowMs: 60 * minute },
  baselineAfterMs: undefined,
  ...given,
})

export const limitOf = (limitMiB: number, usedMiB: number): LimitUse => ({
  source: 'cgroup',
  limitBytes: limitMiB * MiB,
  usedBytes: usedMiB * MiB,
  where: '/shop',
})

/** A daemon with a clock that is set by hand: what it sees, what it decides, and whether captures turn out well. */
export class VirtualDay {
  memory: Memory = emptyMemory()
  config: DecideConfig

  constructor(given: DecideConfig) {
    this.config = given
  }

  /** Observes processes with an RSS in MiB; every process seen for the first time appears. */
  see(
    nowMs: number,
    sizes: readonly (readonly [process: WatchedProcess, rssMiB: number, limit?: LimitUse])[],
    {
      trigger = { kind: 'interval' },
      gone = [],
    }: { trigger?: Trigger; gone?: readonly WatchedProcess[] } = {},
  ): Decision {
    const samples: Sample[] = sizes.map(([process, rssMiB, limit]) => ({
      process: process.id,
      atMs: nowMs,
      rssBytes: rssMiB * MiB,
      limit,
    }))
    const known = new Set([...this.memory.processes.values()].map(({ process }) => process))
    const observation: Observation = {
      atMs: nowMs,
      samples,
      appeared: sizes.map(([process]) => process).filter((process) => !known.has(process)),
      gone: gone.map(({ id }) => id),
      host: { totalBytes: 1, availableBytes: 1 },
    }
    const decision = decide(remember(this.memory, observation), trigger, this.config, nowMs)
    this.memory = decision.memory
    return decision
  }

  /** As `see`, and what is asked for is captured at once. */
  capture(...[nowMs, sizes, more]: Parameters<VirtualDay['see']>): Decision {
    const decision = this.see(nowMs, sizes, more)
    if (decision.verdict.kind === 'capture') {
      this.memory = rememberCapture(this.memory, decision.verdict, nowMs)
    }
    return decision
  }
}

/** The verdict in a word: the rule that captures, or why the first one waits. */
export const told = ({ verdict }: Decision): string => {
  if (verdict.kind === 'capture') return `${verdict.fired.rule} of ${verdict.process.pid}`
  if (verdict.kind === 'trace') return `${verdict.fired.rule} traces ${verdict.process.pid}`
  return verdict.waits[0]?.reason ?? 'nothing'
}
