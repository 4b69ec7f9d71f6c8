import { constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed, CaptureKind, Census, MapRow } from '../model.ts'
import { parseSmaps } from '../proc/smaps.ts'
import { CensusReader } from './census-reader.ts'
import { EXCHANGE, EXCHANGE_FIELDS_BYTES, type Exchange, decodeExchange } from './exchange.ts'
import type { Interpreter } from './interpreter.ts'
import { ProcessMemory } from './process-memory.ts'
import { type SnapshotCgroup, moveToCgroup } from './snapshot-cgroup.ts'
import type { Stub } from './stub-file.ts'
import { type WorkspaceContent, encodeWorkspace } from './workspace.ts'

export type SnapshotOptions = {
  readonly procRoot: string
  /** The snapshot's pid, as we see it. */
  readonly pid: number
  /** Where the exchange lies, in the snapshot as in the service. */
  readonly exchange: number
  readonly interpreter: Interpreter
  /** The code that runs in the snapshot alone. */
  readonly code: Stub['snapshot']
  readonly workspace: WorkspaceContent
  readonly cgroup: SnapshotCgroup
  readonly timeoutMs: number
  readonly kinds: readonly CaptureKind[]
  /** Ends the snapshot early, with the reason, as soon as it answers one. */
  readonly mustEnd: () => string | undefined
  readonly onProgress: (objects: number) => void
}

export type SnapshotResult = {
  readonly kind: 'census'
  readonly census: Census
  readonly rows: readonly MapRow[]
}

const READY_WITHIN_MS = 5000
const FIRST_WORD_WITHIN_MS = 5000
/** After the payload's last word only malloc's figures are due, and they may hang on a lock. */
const LAST_WORD_WITHIN_MS = 500
const NICENESS = 5
/** What a census may need besides the service's own memory: 15 % of the heap was the most in a good one. */
const OWN_MEMORY_SHARE = 0.5
const OWN_MEMORY_LEAST = 256 * 2 ** 20

/**
 * Runs the census in a snapshot that waits for its go, and ends the snapshot whatever happens. It is first made the
 * preferred victim of the OOM killer and charged to our own cgroup.
 */
export async function runSnapshot(options: SnapshotOptions): Promise<SnapshotResult | CaptureFailed> {
  let memory: ProcessMemory | undefined
  try {
    const unmoved = prepare(options)
    if (unmoved) return unmoved
    memory = new ProcessMemory(options.procRoot, options.pid)
    const ready = await awaitReady(memory, options)
    if (!ready) return { kind: 'failed', reason: 'snapshot-died', detail: 'the snapshot did not get ready' }
    furnish(memory, ready, options)
    const rows = parseSmaps(readFileSync(`${options.procRoot}/${options.pid}/smaps`, 'latin1'))
    const pipe = openSync(
      `${options.procRoot}/${options.pid}/fd/10`,
      constants.O_RDONLY | constants.O_NONBLOCK,
    )
    const census = await readCensus(pipe, memory, options)
    return 'reason' in census ? census : { kind: 'census', census, rows }
  } catch (error) {
    return { kind: 'failed', reason: 'snapshot-died', detail: `the snapshot is gone: ${String(error)}` }
  } finally {
    memory?.close()
    endProcess(options.pid)
  }
}

function prepare({ procRoot, pid, cgroup }: SnapshotOptions): CaptureFailed | undefined {
  writeFileSync(`${procRoot}/${pid}/oom_score_adj`, '1000')
  setPriority(pid, NICENESS)
  if (cgroup.kind === 'none') return undefined
  try {
    if (cgroup.kind === 'failed') throw new Error(cgroup.detail)
    moveToCgroup(cgroup.path, pid)
    return undefined
  } catch (error) {
    return {
      kind: 'failed',
      reason: 'not-permitted',
      detail: `the snapshot could not be moved out of the service's cgroup: ${String(error)}`,
      hint: 'in it the copied pages would count against the service; `pyheapctl doctor` says what is missing',
    }
  }
}

async function awaitReady(
  memory: ProcessMemory,
  { exchange }: SnapshotOptions,
): Promise<Exchange | undefined> {
  const end = performance.now() + READY_WITHIN_MS
  while (performance.now() < end) {
    const told = decodeExchange(memory.read(exchange, EXCHANGE_FIELDS_BYTES))
    if (told.ready) return told
    await sleep(1)
  }
  return undefined
}

/** Fills the room that the snapshot has made with its code and what that works with. */
function furnish(memory: ProcessMemory, made: Exchange, options: SnapshotOptions): void {
  const { exchange, code, workspace, interpreter } = options
  memory.write(made.workspace, encodeWorkspace(workspace, made.workspace, interpreter))
  memory.write(made.code, code.code)
  const entry = Buffer.alloc(8)
  entry.writeBigUInt64LE(BigInt(made.code + code.entry))
  memory.write(exchange + EXCHANGE.code, entry)
}

async function readCensus(
  pipe: number,
  memory: ProcessMemory,
  options: SnapshotOptions,
): Promise<Census | CaptureFailed> {
  const reader = new CensusReader(options.kinds)
  const budget = memoryBudget(options)
  const socket = new Socket({ fd: pipe, readable: true, writable: false })
  socket.setEncoding('utf8')
  let hasEnded = false
  socket.on('data', (text: string) => {
    reader.push(text)
    options.onProgress(reader.progress)
  })
  for (const event of ['end', 'close', 'error'] as const) socket.on(event, () => (hasEnded = true))
  memory.writeU32(options.exchange + EXCHANGE.go, 1)
  try {
    const stopped = await watch(
      reader,
      { ...options, mustEnd: () => options.mustEnd() ?? budget() },
      () => hasEnded,
    )
    return conclude(reader, stopped)
  } finally {
    socket.destroy()
  }
}

/** Says when the snapshot has taken more memory than a census can need: a heap may be made to trap it. */
function memoryBudget({ procRoot, pid }: SnapshotOptions): () => string | undefined {
  const residentPages = (): number => {
    try {
      return Number(readFileSync(`${procRoot}/${pid}/statm`, 'latin1').split(' ')[1])
    } catch {
      return 0 // it has ended, which the end of its output tells
    }
  }
  const before = residentPages()
  const most = before + Math.max(before * OWN_MEMORY_SHARE, OWN_MEMORY_LEAST / 4096)
  return () => (residentPages() > most ? 'the census took more memory than it may' : undefined)
}

type Stopped = 'ended' | 'silent' | 'late' | { readonly because: string }

/** Waits for the end of the output, or for a reason not to. */
async function watch(
  reader: CensusReader,
  { timeoutMs, mustEnd }: SnapshotOptions,
  hasEnded: () => boolean,
): Promise<Stopped> {
  const began = performance.now()
  let completeAt: number | undefined
  for (;;) {
    const now = performance.now()
    if (hasEnded()) return 'ended'
    if (reader.fault !== undefined) return 'ended'
    if (reader.hasEnded) completeAt ??= now
    if (completeAt !== undefined && now - completeAt > LAST_WORD_WITHIN_MS) return 'ended'
    if (!reader.hasBegun && now - began > FIRST_WORD_WITHIN_MS) return 'silent'
    if (now - began > timeoutMs) return 'late'
    const because = mustEnd()
    if (because !== undefined) return { because }
    await sleep(20)
  }
}

/** A census that is whole or cut off, or why there is none. */
function conclude(reader: CensusReader, stopped: Stopped): Census | CaptureFailed {
  const census = reader.census()
  const why = explain(reader, stopped)
  if (census && reader.hasEnded) return census
  const hasTypes = census !== undefined && census.types.length > 0
  if (hasTypes && stopped !== 'ended') return { ...census, problems: [...census.problems, why] }
  const reason = stopped === 'silent' || stopped === 'late' ? 'snapshot-hung' : 'snapshot-died'
  return {
    kind: 'failed',
    reason: reader.fault === undefined ? reason : 'bad-payload-output',
    detail: why,
  }
}

function explain(reader: CensusReader, stopped: Stopped): string {
  if (reader.fault !== undefined) return `the payload said ${reader.fault}`
  if (typeof stopped === 'object') return stopped.because
  switch (stopped) {
    case 'ended':
      return 'the snapshot ended before the census was complete'
    case 'silent':
      return 'the interpreter in the snapshot did not answer (a lock held by a thread that is not there)'
    case 'late':
      return 'the census took longer than capture.timeout'
    default:
      return stopped satisfies never
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}
