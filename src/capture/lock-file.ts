import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

export type Lock =
  { readonly kind: 'held'; readonly release: () => void } | { readonly kind: 'busy'; readonly by: number }

/**
 * Takes a lock that one living process holds at a time: a file that appears with its content, by link, and that says
 * who. One whose holder has ended is taken over.
 */
export function takeLock(file: string, startOf: (pid: number) => number | undefined): Lock {
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
