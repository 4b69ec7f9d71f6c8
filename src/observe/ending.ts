import { readlinkSync } from 'node:fs'
import type { Ending, ProcessId } from '../model.ts'
import { parseStat } from '../proc/parse-stat.ts'
import type { LoggedKill } from './oom-kill.ts'
import { readSmall } from './read-proc.ts'

export type EndingSources = {
  readonly procRoot: string
  readonly killOf: (pid: number) => LoggedKill | undefined
  /** The clock of the kernel's log, and that of the wall, now. */
  readonly now: () => { readonly monotonicUs: number; readonly wallMs: number }
}

/** The kernel logs a kill some milliseconds before anybody can notice it; an older one was of another with this pid. */
const KILLED_WITHIN_MS = 60_000

/** How a process that is watched no more has ended: killed for memory, otherwise, or not: it runs another program now. */
export function endingOf(process: ProcessId, { procRoot, killOf, now }: EndingSources): Ending {
  const { monotonicUs, wallMs } = now()
  const at = (ms: number): string => new Date(ms).toISOString()
  if (isRunning(process, procRoot)) return { process, how: 'replaced', at: at(wallMs) }
  const logged = killOf(process.pid)
  const agoMs = logged && (monotonicUs - logged.atUs) / 1000
  if (!logged || agoMs === undefined || agoMs > KILLED_WITHIN_MS)
    return { process, how: 'ended', at: at(wallMs) }
  return { process, how: 'oom-killed', at: at(wallMs - agoMs), oom: logged.kill }
}

/** One that is just ending has given up its memory, and with it its executable, and may not look like a zombie yet. */
function isRunning({ pid, startTicks }: ProcessId, procRoot: string): boolean {
  const stat = parseStat(readSmall(`${procRoot}/${pid}/stat`) ?? '')
  try {
    return stat?.startTicks === startTicks && readlinkSync(`${procRoot}/${pid}/exe`) !== ''
  } catch {
    return false
  }
}
