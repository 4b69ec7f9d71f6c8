import { readFileSync, readdirSync } from 'node:fs'
import { isSnapshotName } from '../../src/capture/snapshot-name.ts'
import { readStat } from '../setup/service.ts'
import type { Phase } from './kill-cases.ts'

const WATCH_MS = 30_000

/**
 * Watches without a pause, because some phases last for less than a millisecond. Answers false when the capturer ended
 * without the phase having been seen.
 */
export function spinUntil(phase: Phase, service: number, capturer: number): boolean {
  const end = performance.now() + WATCH_MS
  const history = { wasAttached: false, wasCloned: false }
  while (performance.now() < end && isRunning(capturer)) if (isIt(phase, service, history)) return true
  return false
}

/** Lets so much time pass, to the microsecond. */
export function spinFor(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

type History = { wasAttached: boolean; wasCloned: boolean }

/** Looks at no more than the phase needs: a look that takes a millisecond misses those that last for one. */
function isIt(phase: Phase, service: number, history: History): boolean {
  switch (phase) {
    case 'recovery':
      return true
    case 'gdb-starts':
      return findRunning('gdb') !== 0
    case 'attached':
      return isTraced(service)
    case 'stopped':
      return /^State:\s+t/m.test(readOrNothing(`/proc/${service}/status`))
    case 'between':
      if (isTraced(service)) history.wasAttached = true
      else if (history.wasAttached) return findSnapshot() === 0
      return false
    case 'cloned':
      return findSnapshot() !== 0
    case 'census': {
      const snapshot = findSnapshot()
      return snapshot !== 0 && /^Seccomp:\s+2$/m.test(readOrNothing(`/proc/${snapshot}/status`))
    }
    case 'burying':
      if (findSnapshot() !== 0) history.wasCloned = true
      else return history.wasCloned
      return false
    default:
      return phase satisfies never
  }
}

const isTraced = (service: number): boolean =>
  /^TracerPid:\s+[1-9]/m.test(readOrNothing(`/proc/${service}/status`))

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
