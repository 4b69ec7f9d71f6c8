import { recoverFromCrash } from '../capture/recover-from-crash.ts'
import type { Config } from '../config/config.ts'
import { places } from '../installation.ts'
import type { Log } from '../log.ts'
import { storeAt } from '../store/place.ts'
import { prepareStore } from '../store/prepare-store.ts'
import { cleanLeftovers } from '../store/sweep.ts'
import { takeStoreLock } from '../store-lock.ts'

/**
 * Makes the machine ready for a store, once: no other daemon may use it, and leftovers of a killed one are mended and
 * cleaned up. Undefined, and a word in the log, when another daemon has it.
 */
export async function prepare(config: Config, log: Log): Promise<StoreLock | undefined> {
  const { dir } = config.store
  const failed = await prepareStore(storeAt(dir))
  if (failed) log.error(failed, 'the store cannot be used')
  // A disk may be mounted later; whom others could lead astray must not begin.
  if (failed?.reason === 'unsafe') return undefined
  const lock = takeStoreLock(dir)
  if (lock.kind === 'busy') {
    const hint = 'end it, or give this one another store.dir'
    log.error({ store: dir, by: lock.by, hint }, 'another daemon uses this store')
    return undefined
  }
  for (const done of recoverFromCrash(places)) log.warn(done, 'mended what a killed capture left behind')
  const { removed } = await cleanLeftovers(storeAt(dir))
  for (const leftover of removed) log.warn(leftover, 'removed an unfinished dump')
  return lock
}

/** While it is held, no other daemon uses the store. */
export type StoreLock = Extract<ReturnType<typeof takeStoreLock>, { readonly kind: 'held' }>
