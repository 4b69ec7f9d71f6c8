import { readdirSync } from 'node:fs'
import { readStat } from './read-stat.ts'
import { snapshotName } from './snapshot-name.ts'

/**
 * Ends snapshots that nobody reads, and answers their pids. Only under the capture lock, where none can be in use. The
 * stub gives them their name before anybody knows of them, so this also finds one whose daemon was killed, or whose
 * service has called exec, right after the clone.
 */
export function endSnapshots(procRoot: string, runDir: string): number[] {
  const ours = snapshotName(runDir)
  const pids = readdirSync(procRoot).filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => isLive(procRoot, pid, ours) && end(pid))
}

function isLive(procRoot: string, pid: number, name: string): boolean {
  const stat = readStat(procRoot, pid)
  return stat?.command === name && stat.state !== 'Z'
}

function end(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false // it has ended since
  }
}
