import { setTimeout as sleep } from 'node:timers/promises'
import { listThreads } from './threads-at-rest.ts'
import { readOrNothing } from './read-or-nothing.ts'

/** A process that was let go a moment ago may still look stopped. */
const STILL_STOPPED_MS = 100
/** One whose gdb was killed right after attaching stops when it next gets to run. */
const STOPS_WITHIN_MS = 500

/**
 * Makes a process run that gdb has stopped: at once after a gdb that let it go, and after one that has ended otherwise
 * as soon as what gdb sent has arrived.
 */
export async function continueIfStopped(procRoot: string, pid: number, wasLetGo: boolean): Promise<void> {
  const isStopped = (): boolean => isStoppedOrStopping(procRoot, pid)
  const standsStill = wasLetGo
    ? !(await becomesTrue(() => !isStopped(), STILL_STOPPED_MS))
    : await becomesTrue(isStopped, STOPS_WITHIN_MS)
  if (!standsStill) return
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // it has ended, which the next step finds out
  }
}

async function becomesTrue(isTrue: () => boolean, withinMs: number): Promise<boolean> {
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(10))
    if (isTrue()) return true
  return false
}

const SIGSTOP_BIT = 1n << 18n

/** Whether a process that nobody traces stands still, or is about to: a SIGSTOP waits for one of its threads. */
const isStoppedOrStopping = (procRoot: string, pid: number): boolean =>
  listThreads(procRoot, pid).some((tid) => {
    const status = readOrNothing(`${procRoot}/${pid}/task/${tid}/status`)
    const pending = BigInt(`0x${/^SigPnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
    const isUntraced = /^TracerPid:\s*0$/m.test(status)
    return isUntraced && (/^State:\s*T/m.test(status) || (pending & SIGSTOP_BIT) !== 0n)
  })
