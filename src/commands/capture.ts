import { createOpenGdb } from '../capture/open-gdb.ts'
import { recoverFromCrash } from '../capture/recover-from-crash.ts'
import type { Config } from '../config/config.ts'
import { createDumpStages } from '../dump-stages.ts'
import { places } from '../installation.ts'
import { CAPTURE_KINDS, type CaptureKind, type CaptureRequest, completeKinds } from '../model.ts'
import { compileTargets } from '../observe/match-target.ts'
import { formatBytes, formatCount, formatDuration } from '../report/format.ts'
import { renderVerdict } from '../report/verdict-text.ts'
import { cleanLeftovers } from '../store/sweep.ts'
import { prepareStore } from '../store/prepare-store.ts'
import { storeAt } from '../store/place.ts'
import { type DumpOutcome, takeDump } from '../take-dump.ts'
import { EXIT } from './exit-codes.ts'
import { captureByDaemon } from './capture-by-daemon.ts'
import { findProcess, type SeenProcess } from './find-process.ts'
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
  if (process.getuid?.() !== 0 && /^[1-9]\d{0,9}$/.test(pidText))
    return captureByDaemon(Number(pidText), kinds, { config, isJson: options.json === true, terminal })
  const look = await findProcess(pidText, terminal)
  if (typeof look === 'number') return look
  const outcome = await captureByHand(look, { kinds, rule: 'manual' }, config, terminal)
  return tellOutcome(outcome, options, terminal)
}

/** Takes a dump of a process now, whatever the daemon does meanwhile. */
export async function captureByHand(
  look: SeenProcess,
  { kinds, rule }: { readonly kinds: readonly CaptureKind[]; readonly rule: string },
  config: Config,
  terminal: Terminal,
): Promise<DumpOutcome> {
  const startedAt = new Date().toISOString()
  const missing = await prepareStore(storeAt(config.store.dir))
  if (missing) return { kind: 'not-stored', failure: missing }
  recoverFromCrash(places)
  await cleanLeftovers(storeAt(config.store.dir))
  const target = compileTargets(config.targets)(look.process) ?? 'manual'
  terminal.progress(`snapshotting process ${look.process.id.pid} …`)
  const stages = createDumpStages({
    config,
    openGdb: createOpenGdb(config.capture.gdbTimeoutMs),
    historyOf: () => [],
    onProgress: (objects) => terminal.progress(`census in the snapshot: ${formatCount(objects)} objects …`),
  })
  const request: CaptureRequest = {
    kind: 'capture',
    process: look.process.id,
    fired: { rule, kind: 'manual' },
    alsoFired: [],
    capture: kinds,
  }
  return takeDump({ process: look.process, target, request, sample: look.sample, startedAt }, stages)
}

function parseKinds(text: string): readonly CaptureKind[] | { readonly unknown: string } {
  const asked = text.split(',').filter(Boolean)
  const unknown = asked.find((kind) => !CAPTURE_KINDS.some((known) => known === kind))
  if (unknown !== undefined) return { unknown }
  return completeKinds(CAPTURE_KINDS.filter((kind) => asked.includes(kind)))
}

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

/** Tells how a capture by hand has ended, and answers the exit code. */
export function tellOutcome(
  outcome: DumpOutcome,
  options: Pick<CommonOptions, 'json'>,
  terminal: Terminal,
): number {
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
