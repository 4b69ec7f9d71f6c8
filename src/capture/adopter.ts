import { readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { readStat } from './read-stat.ts'

const PYTHON = /^(python|pypy|uwsgi|gunicorn)/

/**
 * Whether an orphan of this process would be adopted by another Python process that is the init of their container: its
 * own bookkeeping of children would meet a stranger.
 */
export function wouldBotherAPython(procRoot: string, pid: number): boolean {
  try {
    const namespace = readlinkSync(`${procRoot}/${pid}/ns/pid`)
    if (namespace === readlinkSync(`${procRoot}/self/ns/pid`)) return false
    for (let ancestor = readStat(procRoot, pid)?.parentPid ?? 0; ancestor > 1;) {
      const inner = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`${procRoot}/${ancestor}/status`, 'latin1'))?.[1]
      if (inner === '1') return isPython(procRoot, ancestor)
      ancestor = readStat(procRoot, ancestor)?.parentPid ?? 0
    }
    return false
  } catch {
    return false // gone meanwhile
  }
}

/** Whether a process runs a Python program, going by its executable and its libraries. */
export function isPython(procRoot: string, pid: number): boolean {
  try {
    return (
      PYTHON.test(basename(readlinkSync(`${procRoot}/${pid}/exe`))) ||
      readFileSync(`${procRoot}/${pid}/maps`, 'latin1').includes('/libpython3')
    )
  } catch {
    return false // gone meanwhile
  }
}
