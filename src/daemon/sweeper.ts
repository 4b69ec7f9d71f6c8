import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import { placeKey } from '../model.ts'
import { sweepStore } from '../store/sweep.ts'

/** A moment by both clocks: only the wall clock can be set. */
export type Moment = { readonly wallMs: number; readonly monotonicMs: number }

const TOLERANCE_MS = 3_600_000

/** Whether the wall clock went as the other one did; after it was set, ages of dumps say nothing. */
export const isClockSteady = (since: Moment, now: Moment): boolean =>
  Math.abs(now.wallMs - since.wallMs - (now.monotonicMs - since.monotonicMs)) < TOLERANCE_MS

const moment = (): Moment => ({ wallMs: Date.now(), monotonicMs: performance.now() })

/**
 * Keeps a store to its limits, beside the loop: a large store takes seconds. Call it after a successful capture only, or
 * old evidence goes for a failed one.
 */
export function createSweeper(log: Log): (config: Pick<Config, 'store' | 'upload'>) => void {
  const start = moment()
  let isBusy = false
  let next: Pick<Config, 'store' | 'upload'> | undefined
  const sweep = async ({ store, upload }: Pick<Config, 'store' | 'upload'>): Promise<void> => {
    const now = moment()
    const isSteady = isClockSteady(start, now)
    if (!isSteady)
      log.warn(
        'the clock was set since the daemon was started: no dump expires by its age until it is started again',
      )
    const limits = {
      totalBytes: store.keepTotalBytes,
      ageMs: isSteady ? store.keepAgeMs : undefined,
      perTarget: store.keepPerTarget,
    }
    const { removed, problems } = await sweepStore(store.dir, limits, now.wallMs, upload && placeKey(upload))
    for (const dump of removed) log.info(dump, 'expired a dump')
    for (const problem of problems) log.warn(problem, 'cannot expire')
  }
  const run = async (): Promise<void> => {
    isBusy = true
    for (let config = next; config !== undefined; config = next) {
      next = undefined
      await sweep(config).catch((error: unknown) =>
        log.error({ detail: String(error) }, 'cannot sweep the store'),
      )
    }
    isBusy = false
  }
  return (config) => {
    next = config
    if (!isBusy) void run()
  }
}
