import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { readStat } from './read-stat.ts'

/** Clock ticks a second in /proc, on every Linux there is. */
const TICKS_PER_SECOND = 100

/** Now, on the clock that start times in /proc are told by. */
export const nowTicks = (procRoot: string): number =>
  Math.floor(Number(readFileSync(`${procRoot}/uptime`, 'latin1').split(' ')[0]) * TICKS_PER_SECOND)

/**
 * Whether a pid that the service has told is what it must be: a copy of the service, younger than the request. The
 * service could write any pid there, and would have root move and kill that process.
 */
export function isSnapshotOf(
  procRoot: string,
  service: number,
  pid: number,
  requestedTicks: number,
): boolean {
  if (pid === 1 || pid === process.pid || pid === service) return false
  try {
    const startTicks = readStat(procRoot, pid)?.startTicks ?? 0
    return startTicks >= requestedTicks && likeness(procRoot, pid) === likeness(procRoot, service)
  } catch {
    return false // gone, or not to be looked into
  }
}

/** What a clone cannot have otherwise than its parent: users, groups, namespaces, program. */
function likeness(procRoot: string, pid: number): string {
  const { dev, ino } = statSync(`${procRoot}/${pid}/exe`)
  const users = read(procRoot, pid, 'status').match(/^(Uid|Gid):.*$/gm)
  const namespaces = ['user', 'pid', 'mnt'].map((name) => readlinkSync(`${procRoot}/${pid}/ns/${name}`))
  return JSON.stringify([dev, ino, users, namespaces])
}

const read = (procRoot: string, pid: number, name: string): string =>
  readFileSync(`${procRoot}/${pid}/${name}`, 'latin1')
