export type VictimName = 'gdb' | 'daemon' | 'snapshot' | 'service'

/** What is seen from outside of a capture that goes on, in the order in which it happens. */
export const PHASES = [
  'recovery',
  'gdb-starts',
  'attached',
  'stopped',
  'between',
  'cloned',
  'census',
  'burying',
] as const
export type Phase = (typeof PHASES)[number]

/** The phases in which a victim is there to be killed. */
export const PHASES_OF: Readonly<Record<VictimName, readonly Phase[]>> = {
  gdb: ['gdb-starts', 'attached', 'stopped', 'between'],
  daemon: PHASES,
  snapshot: ['cloned', 'census'],
  service: PHASES,
}

/** States of test/targets/torture in which the service is. */
export const KILL_STATES: readonly string[] = ['sleep', 'malloc', 'workers']

export type KillJob = {
  readonly victim: VictimName
  readonly phase: Phase
  readonly state: string
  readonly python: string
  readonly rounds: number
  readonly seed: number
}

/** What came of so many kills of one victim in one phase. */
export type KillTally = {
  rounds: number
  /** The phase was seen, and the victim was killed in it. */
  struck: number
  /** Services that died though they were not the victim. */
  died: number
  /** Services that stood still until the next start of a daemon mended them. */
  stoodStill: number
  /** Services that nothing has mended. */
  leftStopped: number
  misbehaved: number
  /** Second captures that did not end in a complete dump. */
  notCapturedAgain: number
  /** Rounds after which a gdb or a snapshot was left. */
  strays: number
  details: string[]
}

export const emptyKillTally = (): KillTally => ({
  rounds: 0,
  struck: 0,
  died: 0,
  stoodStill: 0,
  leftStopped: 0,
  misbehaved: 0,
  notCapturedAgain: 0,
  strays: 0,
  details: [],
})

/** Whether a service was harmed that was not the victim, or something was left behind. */
export const isHarmful = (tally: KillTally): boolean =>
  tally.died + tally.leftStopped + tally.misbehaved + tally.notCapturedAgain + tally.strays > 0
