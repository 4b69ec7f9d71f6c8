import { readFileSync } from 'node:fs'
import { takeCaptureLock } from './capture-lock.ts'
import { endSnapshots } from './end-snapshots.ts'
import { parseGateFacts } from './gate.ts'
import { readStat } from './read-stat.ts'
import { type LookAtProcess, type Recovered, recover } from './target-record.ts'

type Places = { readonly procRoot: string; readonly runDir: string }

/** Mends what captures of a killed daemon left behind; nothing while another process is taking one. */
export function recoverFromCrash({ procRoot, runDir }: Places): Recovered[] {
  const look = lookIn(procRoot)
  const lock = takeCaptureLock(runDir, (pid) => look(pid)?.startTicks)
  if (lock.kind === 'busy') return []
  try {
    const recovered = recover(runDir, look, send)
    const strays = endSnapshots(procRoot, runDir)
    return [...recovered, ...strays.map((pid) => ({ kind: 'snapshot-killed' as const, pid }))]
  } finally {
    lock.release()
  }
}

const lookIn =
  (procRoot: string): LookAtProcess =>
  (pid) => {
    try {
      const { state, tracerPid } = parseGateFacts(readFileSync(`${procRoot}/${pid}/status`, 'latin1'))
      const stat = readStat(procRoot, pid)
      return stat && { startTicks: stat.startTicks, state, tracerPid }
    } catch {
      return undefined // gone
    }
  }

function send(pid: number, signal: 'SIGCONT' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended since
  }
}
