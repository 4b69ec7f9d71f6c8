import { readFileSync } from 'node:fs'
import { type ProcessStat, parseStat } from '../proc/parse-stat.ts'

/** What /proc says of a process, or as `PID/task/TID` of a thread; undefined when it is gone. */
export function readStat(procRoot: string, pid: number | string): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`${procRoot}/${pid}/stat`, 'latin1'))
  } catch {
    return undefined // gone
  }
}
