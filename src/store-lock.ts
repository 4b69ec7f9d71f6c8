import { join } from 'node:path'
import { type Lock, takeLock } from './capture/lock-file.ts'
import { readStat } from './capture/read-stat.ts'
import { places } from './installation.ts'

/**
 * One daemon to a store: two would capture every process twice and expire each other's dumps. A store that cannot be
 * written needs no lock, and every dump will tell why.
 */
export function takeStoreLock(dir: string): Lock {
  try {
    return takeLock(join(dir, '.daemon.lock'), (pid) => readStat(places.procRoot, pid)?.startTicks)
  } catch {
    return { kind: 'held', release: () => undefined }
  }
}
