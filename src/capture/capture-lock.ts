import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type CaptureLock =
  { readonly kind: 'held'; readonly release: () => void } | { readonly kind: 'busy'; readonly by: number }

/**
 * One capture at a time on a host, whoever takes it: the daemon or pyheapctl. The lock is a file that appears with its
 * content, by link; one whose holder has ended is taken over.
 */
export function takeCaptureLock(runDir: string, startOf: (pid: number) => number | undefined): CaptureLock {
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  const file = join(runDir, 'capture.lock')
  const own = `${process.pid} ${startOf(process.pid) ?? 0} ${process.hrtime.bigint()}`
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, own, { mode: 0o600 })
  try {
    for (let tries = 0; tries < 5; tries++) {
      if (tryLink(draft, file)) return { kind: 'held', release: () => releaseLock(file, own) }
      const held = readLock(file)
      const [pid = 0, startTicks = -1] = held.split(' ').map(Number)
      if (held !== '' && startOf(pid) === startTicks) return { kind: 'busy', by: pid }
      if (held !== '') removeStale(file, held)
    }
    return { kind: 'busy', by: 0 }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The same, while another capture on this host ends: it is worth waiting for. */
export async function awaitCaptureLock(
  runDir: string,
  startOf: (pid: number) => number | undefined,
  timeoutMs: number,
): Promise<CaptureLock> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const lock = takeCaptureLock(runDir, startOf)
    if (lock.kind === 'held' || performance.now() >= end) return lock
    await sleep(100)
  }
}

function tryLink(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Moves the file away first, and puts it back if somebody else has taken the lock since it was read. */
function removeStale(file: string, held: string): void {
  const aside = `${file}.${process.pid}.stale`
  try {
    renameSync(file, aside)
  } catch {
    return // somebody else was quicker
  }
  if (readLock(aside) !== held) tryLink(aside, file)
  rmSync(aside, { force: true })
}

function releaseLock(file: string, own: string): void {
  if (readLock(file) === own) rmSync(file, { force: true })
}

function readLock(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // released since
  }
}
