import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Lock, takeLock } from './lock-file.ts'

/** One capture at a time on a host, whoever takes it: the daemon or pyheapctl. */
export function takeCaptureLock(runDir: string, startOf: (pid: number) => number | undefined): Lock {
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  return takeLock(join(runDir, 'capture.lock'), startOf)
}

/** The same, while another capture on this host ends: it is worth waiting for. */
export async function awaitCaptureLock(
  runDir: string,
  startOf: (pid: number) => number | undefined,
  timeoutMs: number,
): Promise<Lock> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const lock = takeCaptureLock(runDir, startOf)
    if (lock.kind === 'held' || performance.now() >= end) return lock
    await sleep(100)
  }
}
