import type { CaptureFailed, CaptureMethod } from '../model.ts'
import { bury, release } from './bury.ts'
import { Console } from './console.ts'
import { endProcess, openInput, prepareSnapshot } from './prepare-snapshot.ts'
import { seccompFilter } from './seccomp-filter.ts'
import type { Service } from './service.ts'
import { type BudgetSettings, watchBudget } from './snapshot-budget.ts'
import { type SnapshotCgroup, closeSnapshotCgroup, openSnapshotCgroup } from './snapshot-cgroup.ts'
import { consoleName } from './snapshot-name.ts'
import { type Taken, chooseFlags, takeSnapshot } from './take-snapshot.ts'
import { type CaptureSubject, type ServiceSettings, withService } from './with-service.ts'
import { WORKSPACE_FLAG } from './workspace.ts'

export type ConsoleSettings = ServiceSettings &
  BudgetSettings & {
    /** Of the cgroup that the snapshot is charged to. */
    readonly memoryLimitBytes?: number | undefined
    /** src/payload/console as one text. */
    readonly payload: Buffer
    /** Directories to import from, as the process sees them. */
    readonly paths: readonly string[]
    /** The longest that a run may take, or a silence between two. */
    readonly timeoutMs: number
  }

export type OpenedConsole = {
  readonly kind: 'opened'
  readonly console: Console
  readonly pythonVersion: string
  readonly method: CaptureMethod
  /** How long the service stood still. */
  readonly pauseMs: number
  /** Ends the snapshot, and has the service take note where it is the snapshot's parent. */
  readonly close: () => Promise<void>
}

const MAX_ATTEMPTS = 3
const FIRST_WORD_WITHIN_MS = 5000
/** Until its console speaks, which sets an alarm of its own, the snapshot ends itself after this and half a minute. */
const SILENT_MS = 30_000
/** Beyond its timeout the snapshot ends by itself: the client is gone or stuck. */
const GRACE_SECONDS = 30
/**
 * As for a census that is tried again: always cleaned up after a fork, so that no lock of a thread that is not there
 * stays held and this thread is the interpreter's main one, which gets the interrupts.
 */
const CLEANED_UP = 2

/** Takes a snapshot of a process for an operator to work in. Captures may go on as soon as it is open. */
export async function openConsole(
  subject: CaptureSubject,
  settings: ConsoleSettings,
): Promise<OpenedConsole | CaptureFailed> {
  return withService(subject, settings, async ({ service }) => {
    let failure: CaptureFailed | undefined
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const opened = await openOnce(service, subject, settings)
      if (opened.kind === 'opened') return opened
      failure ??= opened
      if (opened.reason !== 'snapshot-hung' && opened.reason !== 'snapshot-died') return opened
    }
    return failure ?? { kind: 'failed', reason: 'gone', detail: `process ${subject.id.pid} has ended` }
  })
}

async function openOnce(
  service: Service,
  subject: CaptureSubject,
  settings: ConsoleSettings,
): Promise<OpenedConsole | CaptureFailed> {
  const workspace = {
    flags: chooseFlags(service, CLEANED_UP) | WORKSPACE_FLAG.keepSignals,
    payload: askForConsole(settings),
    filter: seccompFilter('reading-files', 'x86_64'),
  }
  const taken = await takeSnapshot(service, workspace, SILENT_MS, consoleName(service.runDir))
  if (taken.kind === 'failed') return taken
  const cgroup = openSnapshotCgroup(service.procRoot, subject.id.pid, settings.memoryLimitBytes)
  const greeted = await startConsole(service, taken, { workspace, settings, cgroup })
  if (greeted.kind === 'failed') {
    endProcess(taken.pid)
    await bury(service, taken)
    closeSnapshotCgroup(cgroup)
    return greeted
  }
  release(service, taken)
  return {
    ...greeted,
    method: taken.cloned.method,
    pauseMs: Math.round(service.pauseMs * 10) / 10,
    close: async () => {
      const { parentPid } = greeted.console.close()
      if (parentPid === subject.id.pid)
        await withService(subject, settings, async ({ service: again }) => bury(again, taken))
      closeSnapshotCgroup(cgroup)
    },
  }
}

type Furnishing = {
  readonly workspace: { readonly flags: number; readonly payload: Buffer; readonly filter: Buffer }
  readonly settings: ConsoleSettings
  readonly cgroup: SnapshotCgroup
}
type Greeted = { readonly kind: 'opened'; readonly console: Console; readonly pythonVersion: string }

async function startConsole(
  service: Service,
  taken: Taken,
  { workspace, settings, cgroup }: Furnishing,
): Promise<Greeted | CaptureFailed> {
  const { procRoot } = service
  const { pid, startTicks } = taken
  try {
    const prepared = await prepareSnapshot(service, taken, { workspace, cgroup })
    if (prepared.kind === 'failed') return prepared
    const console = new Console({
      procRoot,
      pid,
      startTicks,
      output: prepared.output,
      input: openInput(procRoot, pid),
      timeoutMs: settings.timeoutMs,
      mustEnd: watchBudget(settings, { pid, cgroup }),
    })
    prepared.start()
    return await greet(console)
  } catch (error) {
    return { kind: 'failed', reason: 'snapshot-died', detail: `the snapshot is gone: ${String(error)}` }
  }
}

async function greet(console: Console): Promise<Greeted | CaptureFailed> {
  const word = await console.greet(FIRST_WORD_WITHIN_MS)
  if (word?.kind === 'hello') return { kind: 'opened', console, pythonVersion: word.text.slice(0, 40) }
  const why = console.gone
  console.close()
  if (word?.kind === 'refused')
    return {
      kind: 'failed',
      reason: 'not-permitted',
      detail: word.text,
      hint: 'code in a snapshot has the rights of the process: let its user read the directory',
    }
  return {
    kind: 'failed',
    reason: why?.includes('did not answer') === true ? 'snapshot-hung' : 'snapshot-died',
    detail: word?.text ?? why ?? 'the snapshot did not answer',
  }
}

function askForConsole({ payload, paths, timeoutMs }: ConsoleSettings): Buffer {
  const request = { paths, seconds: Math.ceil(timeoutMs / 1000) + GRACE_SECONDS }
  return Buffer.concat([Buffer.from(`REQUEST.update(${JSON.stringify(request)})\n`), payload])
}
