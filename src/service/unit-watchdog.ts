import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { parseSystemdTime } from '../proc/systemd-time.ts'

/** A unit that has to tell systemd that it is alive, and when it did so last. */
export type WatchedUnit = {
  readonly unit: string
  /** WatchdogSec=; monotonic microseconds, as systemd counts. */
  readonly watchdogUs: number
  readonly lastPingUs: number
}

/** Of its watchdog's time, after which a unit that is silent is worth a capture: before systemd ends it. */
const SILENT_SHARE = 0.75
const SEARCH_MS = 4000
const IDLE_MS = 5000

/**
 * Captures guarded units that have fallen silent, before their watchdog ends them: systemd runs no ExecStop= then. Asks
 * systemd for all of them together, a few times in the shortest of their periods.
 */
export function startUnitWatchdog(options: {
  /** The drop-in that marks a unit as guarded. */
  readonly guardFile: string
  readonly folder: string
  readonly capture: (unit: string) => Promise<void>
}): { readonly close: () => void } {
  let units: readonly string[] = []
  let searchedMs = Number.NEGATIVE_INFINITY
  const answered = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const look = async (): Promise<void> => {
    const nowMs = performance.now()
    if (nowMs - searchedMs > SEARCH_MS) {
      units = await findGuarded(options.folder, options.guardFile)
      searchedMs = nowMs
    }
    const watched = units.length === 0 ? [] : await askSystemd(units)
    for (const { unit, lastPingUs } of silentUnits(watched, Number(process.hrtime.bigint() / 1000n))) {
      // Once for each silence.
      if (answered.get(unit) === lastPingUs) continue
      answered.set(unit, lastPingUs)
      void options.capture(unit)
    }
    if (isClosed) return
    const shortestMs = Math.min(...watched.map(({ watchdogUs }) => watchdogUs / 1000))
    const waitMs = watched.length === 0 ? IDLE_MS : Math.max(500, Math.min(IDLE_MS, shortestMs / 10))
    timer = setTimeout(() => void look(), waitMs).unref()
  }
  void look()
  return {
    close: () => {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

/** Those that have been silent for most of their watchdog's time. */
export const silentUnits = (units: readonly WatchedUnit[], nowUs: number): readonly WatchedUnit[] =>
  units.filter(
    ({ watchdogUs, lastPingUs }) => lastPingUs > 0 && nowUs - lastPingUs > watchdogUs * SILENT_SHARE,
  )

/** The units of what `systemctl show` prints, one paragraph each, that run and have a watchdog. */
export const parseUnits = (text: string): readonly WatchedUnit[] =>
  text.split(/\n\n+/).flatMap((paragraph) => {
    const fields = new Map(paragraph.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]))
    const watchdogUs = 1000 * (parseSystemdTime(fields.get('WatchdogUSec') ?? '') ?? 0)
    const unit = fields.get('Id')
    const isRunning = fields.get('ActiveState') === 'active'
    return unit === undefined || !isRunning || watchdogUs === 0
      ? []
      : [{ unit, watchdogUs, lastPingUs: Number(fields.get('WatchdogTimestampMonotonic') ?? 0) }]
  })

async function findGuarded(folder: string, guardFile: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  const dropIns = names.filter((name) => name.endsWith('.service.d')).slice(0, 1000)
  const found = await Promise.all(
    dropIns.map(async (name) => {
      const files: readonly string[] = await readdir(`${folder}/${name}`).catch(() => [])
      return files.includes(guardFile) ? [name.slice(0, -'.d'.length)] : []
    }),
  )
  return found.flat()
}

const run = promisify(execFile)

async function askSystemd(units: readonly string[]): Promise<readonly WatchedUnit[]> {
  const properties = '--property=Id,ActiveState,WatchdogUSec,WatchdogTimestampMonotonic'
  try {
    const { stdout } = await run('systemctl', ['show', properties, '--', ...units], { timeout: 10_000 })
    return parseUnits(stdout)
  } catch {
    return []
  }
}
