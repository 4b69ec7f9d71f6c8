import type { Config } from '../config/config.ts'
import type { Sample, WatchedProcess } from '../model.ts'
import { openObserver } from '../open-observer.ts'
import { formatBytes, formatDuration } from '../report/format.ts'
import { captureByHand, tellOutcome } from './capture.ts'
import { EXIT } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

/** Less than this is not worth beginning with. */
const LEAST_MS = 500

/**
 * Captures the Python processes of a unit, or all that targets name, the largest first, for as long as the budget lasts.
 * Whoever is about to be stopped is what it is for, so it never takes longer.
 */
export async function guardNow(
  unit: string | undefined,
  budgetMs: number,
  config: Config,
  terminal: Terminal,
): Promise<number> {
  const endMs = performance.now() + budgetMs
  const found = await findProcesses(unit, config)
  if (found.length === 0) {
    terminal.err(
      unit === undefined ? 'no Python process is named by a target' : `no Python process runs in ${unit}`,
    )
    return EXIT.ok
  }
  let code: number = EXIT.ok
  for (const [index, { process, sample }] of found.entries()) {
    const leftMs = endMs - performance.now()
    if (leftMs < LEAST_MS) {
      terminal.err(
        `the budget is spent: ${found.length - index} of ${found.length} processes are not captured`,
      )
      break
    }
    terminal.err(`process ${process.id.pid}, ${formatBytes(sample.rssBytes)}, ${formatDuration(leftMs)} left`)
    const timeoutMs = Math.min(config.capture.timeoutMs, leftMs)
    const bounded = { ...config, capture: { ...config.capture, timeoutMs } }
    const outcome = await captureByHand(
      { kind: 'seen', process, sample },
      { kinds: ['census', 'stacks'], rule: 'guard' },
      bounded,
      terminal,
    )
    const result = tellOutcome(outcome, {}, terminal)
    if (result !== EXIT.ok) code = result
  }
  return code
}

async function findProcesses(
  unit: string | undefined,
  config: Config,
): Promise<readonly { readonly process: WatchedProcess; readonly sample: Sample }[]> {
  const observer = openObserver(config)
  try {
    const { appeared, samples } = await observer.observe(performance.now())
    const byId = new Map(samples.map((sample) => [sample.process, sample]))
    return appeared
      .flatMap((process) => {
        const sample = byId.get(process.id)
        return sample && (unit === undefined || process.unit === unit) ? [{ process, sample }] : []
      })
      .toSorted((a, b) => b.sample.rssBytes - a.sample.rssBytes)
  } finally {
    observer.close()
  }
}
