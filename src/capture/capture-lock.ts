import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type CaptureLock =
  { readonly kind: 'held'; readonly release: () => void } | { readonly kind: 'busy'; readonly by: number }

/**
 * One capture at a time on a host, whoever takes it: the daemon or pyheapctl. A lock whose holder has ended is taken
 * over.
 */
export function takeCaptureLock(runDir: string, startOf: (pid: number) => number | undefined): CaptureLock {
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  const file = join(runDir, 'capture.lock')
  const own = `${process.pid} ${startOf(process.pid) ?? 0}`
  for (let tries = 0; tries < 3; tries++) {
    try {
      writeFileSync(file, own, { flag: 'wx', mode: 0o600 })
      return { kind: 'held', release: () => rmSync(file, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const [pid = 0, startTicks = -1] = readLock(file).split(' ').map(Number)
      if (startOf(pid) === startTicks) return { kind: 'busy', by: pid }
      rmSync(file, { force: true })
    }
  }
  return { kind: 'busy', by: 0 }
}

function readLock(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // released since
  }
}
