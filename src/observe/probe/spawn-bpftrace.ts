import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

/** bpftrace's default of 4,096 may be less than the processes above a floor, and a full map is a flood. */
const MAP_KEYS = '16384'

const STOPS_WITHIN_MS = 2000

export type Bpftrace = ChildProcessByStdio<null, Readable, Readable>

/** Starts bpftrace. It does not outlive the daemon: the kernel ends it with its parent. */
export const spawnBpftrace = (args: readonly string[]): Bpftrace =>
  spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'bpftrace', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Of a group of its own: Ctrl-C is for the daemon, which ends it when it has finished.
    detached: true,
    env: { PATH: process.env['PATH'], BPFTRACE_MAP_KEYS_MAX: MAP_KEYS, BPFTRACE_MAX_MAP_KEYS: MAP_KEYS },
  })

/** Asks it to end; one that does not heed that is killed. */
export function endBpftrace(child: Bpftrace): void {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS).unref()
}

/** The last that it complained of. Without CAP_SYS_RESOURCE every version complains of RLIMIT_MEMLOCK, and goes on. */
export function lastComplaint(text: string): string | undefined {
  const line = text.split('\n').findLast((said) => said.trim() !== '' && !said.includes('RLIMIT_MEMLOCK'))
  return line?.includes('failed to execute bpftrace: No such file') === true
    ? 'bpftrace is not installed'
    : line?.trim().slice(0, 300)
}
