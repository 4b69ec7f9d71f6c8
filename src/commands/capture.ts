import { createOpenGdb } from '../capture/open-gdb.ts'
import { recoverFromCrash } from '../capture/recover-from-crash.ts'
import { createDumpStages } from '../dump-stages.ts'
import { places } from '../installation.ts'
import {
  CAPTURE_KINDS,
  type CaptureKind,
  type CaptureRequest,
  completeKinds,
  type ProcessId,
} from '../model.ts'
import { compileTargets } from '../observe/match-target.ts'
import { formatBytes, formatCount, formatDuration } from '../report/format.ts'
import { renderVerdict } from '../report/verdict-text.ts'
import { cleanLeftovers } from '../store/sweep.ts'
import { prepareStore } from '../store/prepare-store.ts'
import { storeAt } from '../store/place.ts'
import { type DumpOutcome, takeDump } from '../take-dump.ts'
import { EXIT } from './exit-codes.ts'
import { findProcess } from './find-process.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { tellFailure } from './tell-failure.ts'
import type { Terminal } from './terminal.ts'

export type CaptureOptions = CommonOptions & { readonly with: string }

/** `pyheapctl capture PID`: one dump now. */
export async function captureCommand(
  pidText: string,
  options: CaptureOptions,
  terminal: Terminal,
): Promise<number> {
  const kinds = parseKinds(options.with)
  if ('unknown' in kinds)
    return refuseUsage(`--with: ${kinds.unknown} is not one of ${CAPTURE_KINDS.join(', ')}`, terminal)
  const config = await readSettings(options, terminal)
  if (!config) return EXIT.config
  const startedAt = new Date().toISOString()
  const look = await findProcess(pidText, terminal)
  if (typeof look === 'number') return look
  const missing = await prepareStore(storeAt(config.store.dir))
  if (missing) return tellStore(missing, terminal)
  recoverFromCrash(places)
  await cleanLeftovers(storeAt(config.store.dir))
  const target = compileTargets(config.targets)(look.process) ?? 'manual'
  terminal.progress(`snapshotting process ${pidText} …`)
  const stages = createDumpStages({
    config,
    openGdb: createOpenGdb(config.capture.gdbTimeoutMs),
    historyOf: () => [],
    onProgress: (objects) => terminal.progress(`census in the snapshot: ${formatCount(objects)} objects …`),
  })
  const request = requestByHand(look.process.id, kinds)
  const outcome = await takeDump(
    { process: look.process, target, request, sample: look.sample, startedAt },
    stages,
  )
  return tellOutcome(outcome, options, terminal)
}

function parseKinds(text: string): readonly CaptureKind[] | { readonly unknown: string } {
  const asked = text.split(',').filter(Boolean)
  const unknown = asked.find((kind) => !CAPTURE_KINDS.some((known) => known === kind))
  if (unknown !== undefined) return { unknown }
  return completeKinds(CAPTURE_KINDS.filter((kind) => asked.includes(kind)))
}

const requestByHand = (process: ProcessId, capture: readonly CaptureKind[]): CaptureRequest => ({
  kind: 'capture',
  process,
  fired: { rule: 'manual', kind: 'manual' },
  alsoFired: [],
  capture,
})

function refuseUsage(message: string, terminal: Terminal): number {
  terminal.err(message)
  return EXIT.usage
}

function tellStore(
  { detail, hint }: { readonly detail: string; readonly hint: string },
  terminal: Terminal,
): number {
  terminal.err(`${detail}\n${hint}`)
  return EXIT.store
}

function tellOutcome(outcome: DumpOutcome, options: CaptureOptions, terminal: Terminal): number {
  switch (outcome.kind) {
    case 'dumped': {
      const { published, findings } = outcome
      const { method, pause_ms, rss_bytes, attempts } = published.manifest
      if (options.json === true)
        terminal.out(
          JSON.stringify({
            dump: published.path,
            id: published.id,
            method,
            pause_ms,
            attempts,
            rss_bytes,
            findings,
          }),
        )
      else {
        terminal.err(
          `the process stood still for ${formatDuration(pause_ms)} at ${formatBytes(rss_bytes)} RSS`,
        )
        terminal.out(`${published.path}\n${renderVerdict(findings)}`)
      }
      return EXIT.ok
    }
    case 'dumped-outside':
    case 'refused':
      return outcome.outcome.kind === 'failed' ? tellFailure(outcome.outcome, options, terminal) : EXIT.bug
    case 'not-stored':
      return tellStore(outcome.failure, terminal)
    default:
      return outcome satisfies never
  }
}
