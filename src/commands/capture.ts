import { execFileSync } from 'node:child_process'
import { createOpenGdb } from '../capture/open-gdb.ts'
import { recoverFromCrash } from '../capture/recover-from-crash.ts'
import { createDumpStages } from '../dump-stages.ts'
import { places } from '../installation.ts'
import type { CaptureFailed, CaptureRequest, ProcessId } from '../model.ts'
import { readHostMemory } from '../observe/host.ts'
import { type Look, lookOnce } from '../observe/look-once.ts'
import { compileTargets } from '../observe/match-target.ts'
import { formatBytes, formatCount, formatDuration } from '../report/format.ts'
import { renderVerdict } from '../report/verdict-text.ts'
import { cleanLeftovers } from '../store/sweep.ts'
import { prepareStore } from '../store/prepare-store.ts'
import { storeAt } from '../store/place.ts'
import { type DumpOutcome, takeDump } from '../take-dump.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export type CaptureOptions = CommonOptions & { readonly with: string }

const KINDS = ['census', 'stacks'] as const
type Kind = (typeof KINDS)[number]

/** `pyheapctl capture PID`: one dump now. */
export async function captureCommand(
  pidText: string,
  options: CaptureOptions,
  terminal: Terminal,
): Promise<number> {
  const kinds = parseKinds(options.with)
  if ('unknown' in kinds)
    return refuseUsage(`--with: ${kinds.unknown} is not one of ${KINDS.join(', ')}`, terminal)
  if (!/^[1-9]\d{0,9}$/.test(pidText))
    return refuseUsage(`${JSON.stringify(pidText)} is not a process id`, terminal)
  if (process.getuid?.() !== 0) {
    terminal.err('only root may snapshot other processes; try: sudo pyheapctl capture …')
    return EXIT.notRoot
  }
  const config = await readSettings(options, terminal)
  if (!config) return EXIT.config
  const startedAt = new Date().toISOString()
  const look = await lookAt(Number(pidText))
  if (look.kind !== 'seen') return tellUnseen(pidText, look, terminal)
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

function parseKinds(text: string): readonly Kind[] | { readonly unknown: string } {
  const asked = text.split(',').filter(Boolean)
  const unknown = asked.find((kind) => !KINDS.some((known) => known === kind))
  return unknown === undefined ? KINDS.filter((kind) => asked.includes(kind)) : { unknown }
}

const requestByHand = (process: ProcessId, capture: readonly Kind[]): CaptureRequest => ({
  kind: 'capture',
  process,
  fired: { rule: 'manual', kind: 'manual' },
  alsoFired: [],
  capture,
})

async function lookAt(pid: number): Promise<Look> {
  const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }))
  return lookOnce(pid, performance.now(), { ...places, pageBytes, host: await readHostMemory() })
}

function refuseUsage(message: string, terminal: Terminal): number {
  terminal.err(message)
  return EXIT.usage
}

function tellUnseen(pid: string, look: Exclude<Look, { kind: 'seen' }>, terminal: Terminal): number {
  switch (look.kind) {
    case 'gone':
      terminal.err(`there is no process ${pid}`)
      return EXIT.notFound
    case 'zombie':
      terminal.err(
        `process ${pid} has ended and waits for its parent to notice (zombie): nothing is left to capture`,
      )
      return EXIT.captureFailed
    case 'not-python':
      terminal.err(
        look.runs === undefined
          ? `process ${pid} is not Python: neither its program nor a mapped libpython is CPython`
          : `process ${pid} runs ${look.runs}, not CPython for x86-64, and only that can be looked into`,
      )
      return EXIT.captureFailed
    default:
      return look satisfies never
  }
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
      return tellFailure(outcome.outcome.kind === 'failed' ? outcome.outcome : undefined, options, terminal)
    case 'not-stored':
      return tellStore(outcome.failure, terminal)
    default:
      return outcome satisfies never
  }
}

function tellFailure(
  failure: CaptureFailed | undefined,
  options: CaptureOptions,
  terminal: Terminal,
): number {
  if (!failure) return EXIT.bug
  const { reason, detail, hint } = failure
  if (options.json === true) terminal.out(JSON.stringify({ failed: reason, detail, hint }))
  terminal.err(hint === undefined ? detail : `${detail}\n${hint}`)
  if (reason === 'gone') return EXIT.notFound
  return reason === 'not-root' ? EXIT.notRoot : EXIT.captureFailed
}
