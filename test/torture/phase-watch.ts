import { readFileSync, readdirSync } from 'node:fs'
import { isSnapshotName } from '../../src/capture/snapshot-name.ts'
import { readStat } from '../setup/service.ts'
import type { Phase } from './kill-cases.ts'

/** What is seen at one moment of a capture. */
type Sight = {
  readonly tracer: number
  readonly isHeld: boolean
  readonly gdb: number
  readonly snapshot: number
  readonly isSandboxed: boolean
}

const WATCH_MS = 30_000

/**
 * Watches without a pause, because some phases last for less than a millisecond. Answers false when the capturer ended
 * without the phase having been seen.
 */
export function spinUntil(phase: Phase, service: number, capturer: number): boolean {
  const end = performance.now() + WATCH_MS
  let wasAttached = false
  let wasCloned = false
  while (performance.now() < end && isRunning(capturer)) {
    const sight = look(service)
    if (isIt(phase, sight, { wasAttached, wasCloned })) return true
    wasAttached ||= sight.tracer !== 0
    wasCloned ||= sight.snapshot !== 0
  }
  return false
}

/** Lets so much time pass, to the microsecond. */
export function spinFor(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

type History = { readonly wasAttached: boolean; readonly wasCloned: boolean }

function isIt(phase: Phase, sight: Sight, { wasAttached, wasCloned }: History): boolean {
  switch (phase) {
    case 'recovery':
      return true
    case 'gdb-starts':
      return sight.gdb !== 0
    case 'attached':
      return sight.tracer !== 0
    case 'stopped':
      return sight.tracer !== 0 && sight.isHeld
    case 'between':
      return wasAttached && !wasCloned && sight.tracer === 0 && sight.snapshot === 0
    case 'cloned':
      return sight.snapshot !== 0
    case 'census':
      return sight.isSandboxed
    case 'burying':
      return wasCloned && sight.snapshot === 0
    default:
      return phase satisfies never
  }
}

function look(service: number): Sight {
  const status = readOrNothing(`/proc/${service}/status`)
  const snapshot = findSnapshot()
  return {
    tracer: Number(/^TracerPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0),
    isHeld: /^State:\s+t/m.test(status),
    gdb: findRunning('gdb'),
    snapshot,
    isSandboxed: snapshot !== 0 && /^Seccomp:\s+2$/m.test(readOrNothing(`/proc/${snapshot}/status`)),
  }
}

/** The pid of a process with this name that is no zombie; 0 when there is none. */
export const findRunning = (name: string): number => findProcess((command) => command === name)

/** The pid of a snapshot of any capture that is no zombie; 0 when there is none. */
export const findSnapshot = (): number => findProcess(isSnapshotName)

function findProcess(isWanted: (command: string) => boolean): number {
  for (const pid of readdirSync('/proc')) {
    const [, command, state] = /^\d+ \((.*)\) (\S)/s.exec(/^\d+$/.test(pid) ? readStat(pid) : '') ?? []
    if (command !== undefined && state !== 'Z' && isWanted(command)) return Number(pid)
  }
  return 0
}

const isRunning = (pid: number): boolean => {
  const stat = readStat(pid)
  return stat !== '' && !/\) [ZX] /.test(stat)
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // it has ended
  }
}
