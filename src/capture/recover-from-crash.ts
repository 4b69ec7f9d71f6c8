import { readFileSync } from 'node:fs'
import { parseStat } from '../proc/parse-stat.ts'
import { parseGateFacts } from './gate.ts'
import { listCgroup, openSnapshotCgroup } from './snapshot-cgroup.ts'
import { type Recovered, recover } from './target-record.ts'

/** Mends what captures of a killed daemon left behind; nothing while another process is taking one. */
export function recoverFromCrash({
  procRoot,
  runDir,
}: {
  readonly procRoot: string
  readonly runDir: string
}): Recovered[] {
  const look = (pid: number) => {
    try {
      const { state, tracerPid } = parseGateFacts(readFileSync(`${procRoot}/${pid}/status`, 'latin1'))
      const stat = parseStat(readFileSync(`${procRoot}/${pid}/stat`, 'latin1'))
      return stat && { startTicks: stat.startTicks, state, tracerPid }
    } catch {
      return undefined // gone
    }
  }
  const kill = (pid: number, signal: 'SIGCONT' | 'SIGKILL'): void => {
    process.kill(pid, signal)
  }
  const recovered = recover(runDir, look, kill)
  const cgroup = openSnapshotCgroup(procRoot)
  const strays = cgroup.kind === 'cgroup' ? listCgroup(cgroup.path) : []
  for (const pid of strays) kill(pid, 'SIGKILL')
  return [...recovered, ...strays.map((pid) => ({ kind: 'snapshot-killed' as const, pid }))]
}
