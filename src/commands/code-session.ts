import { realpathSync, statSync } from 'node:fs'
import type { OnOutput, Ran, Source } from '../capture/console.ts'
import { openConsole } from '../capture/open-console.ts'
import { createOpenGdb } from '../capture/open-gdb.ts'
import { readPayload } from '../capture/payload-text.ts'
import { readStub } from '../capture/stub-file.ts'
import { parseDuration } from '../config/units.ts'
import { installation, places } from '../installation.ts'
import type { CaptureMethod } from '../model.ts'
import { EXIT } from './exit-codes.ts'
import { limitsReader } from '../read-limits.ts'
import { findProcess } from './find-process.ts'
import { openLiveSession } from './live-session.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { tellFailure } from './tell-failure.ts'
import type { Terminal } from './terminal.ts'

export type CodeOptions = CommonOptions & {
  readonly path: readonly string[]
  readonly timeout: string
  /** In the process itself instead of a snapshot. */
  readonly live?: true
}

/** A Python that runs what an operator says, somewhere; what is said here knows nothing of where. */
export type CodeSession = {
  readonly pid: number
  readonly cmdline: readonly string[]
  readonly pythonVersion: string
  readonly takenAt: Date
  readonly method: CaptureMethod | 'remote-exec'
  readonly pauseMs: number
  /** What is done in it is done to the process. */
  readonly isLive: boolean
  readonly run: (source: Source, onOutput: OnOutput) => Promise<Ran>
  readonly complete: (text: string) => Promise<readonly string[]>
  readonly interrupt: () => void
  readonly close: () => Promise<void>
}

const LOCK_TIMEOUT_MS = 60_000
const MOST_TIMEOUT_MS = 24 * 3_600_000

/** Takes a snapshot of a process to run code in; when there is none, tells why and answers the exit code. */
export async function openCodeSession(
  pidText: string,
  options: CodeOptions,
  terminal: Terminal,
): Promise<CodeSession | number> {
  const timeout = parseDuration(options.timeout)
  if (timeout.kind === 'invalid' || timeout.value < 1000 || timeout.value > MOST_TIMEOUT_MS) {
    terminal.err(`--timeout: ${timeout.kind === 'invalid' ? timeout.message : 'must be 1s to 24h'}`)
    return EXIT.usage
  }
  const look = await findProcess(pidText, terminal)
  if (typeof look === 'number') return look
  const { process } = look
  const paths = resolvePaths(options.path, process.id.pid)
  if ('problem' in paths) {
    terminal.err(paths.problem)
    return EXIT.usage
  }
  const config = await readSettings(options, terminal)
  if (!config) return EXIT.config
  const settings = {
    ...places,
    ...config.capture,
    openGdb: createOpenGdb(config.capture.gdbTimeoutMs),
    stub: readStub(installation.stub),
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    readLimits: limitsReader(process),
    timeoutMs: timeout.value,
    paths,
  }
  if (options.live) {
    terminal.err(`running in process ${pidText} itself: what the code does, it does to the service`)
    const session = await openLiveSession(process, settings)
    return 'reason' in session ? tellFailure(session, options, terminal) : session
  }
  terminal.progress(`snapshotting process ${pidText} …`)
  const takenAt = new Date()
  const opened = await openConsole(process, { ...settings, payload: readPayload(installation.console) })
  terminal.progress('')
  if (opened.kind === 'failed') return tellFailure(opened, options, terminal)
  const { console, pythonVersion, method, pauseMs, close } = opened
  return {
    pid: process.id.pid,
    cmdline: process.cmdline,
    pythonVersion,
    takenAt,
    method,
    pauseMs,
    isLive: false,
    run: async (source, onOutput) => console.run(source, onOutput),
    complete: async (text) => console.complete(text),
    interrupt: () => console.interrupt(),
    close,
  }
}

/** Code is imported by the snapshot, which sees the process's file system: in a container another one than ours. */
function resolvePaths(
  directories: readonly string[],
  pid: number,
): readonly string[] | { readonly problem: string } {
  const root = `${places.procRoot}/${pid}/root`
  const paths: string[] = []
  for (const directory of directories) {
    const path = realPath(directory)
    if (!isDirectory(`${root}${path}`))
      return {
        problem:
          path === directory && !isDirectory(path)
            ? `--path: there is no directory ${directory}`
            : `--path: process ${pid} has no directory ${path} in its own file system (a container?)\n` +
              `copy it there, below ${root}, and name it as the process sees it`,
      }
    paths.push(path)
  }
  return paths
}

/** Without links, which would lead elsewhere in another root; as it is where only the process has it. */
function realPath(directory: string): string {
  try {
    return realpathSync(directory)
  } catch {
    return directory
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
