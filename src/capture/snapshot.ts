import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed, CaptureKind, Census, MapRow } from '../model.ts'
import { parseSmaps } from '../proc/smaps.ts'
import { CensusReader } from './census-reader.ts'
import { type Prepared, endProcess, prepareSnapshot } from './prepare-snapshot.ts'
import type { Service } from './service.ts'
import type { SnapshotCgroup } from './snapshot-cgroup.ts'
import type { Taken } from './take-snapshot.ts'
import type { WorkspaceContent } from './workspace.ts'

export type SnapshotOptions = {
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

const FIRST_WORD_WITHIN_MS = 5000
/** After the payload's last word only malloc's figures are due, and they may hang on a lock. */
const LAST_WORD_WITHIN_MS = 500
/** What a census may need besides the service's own memory: 15 % of the heap was the most in a good one. */
const OWN_MEMORY_SHARE = 0.5
const OWN_MEMORY_LEAST = 256 * 2 ** 20

/** Runs the census in a snapshot that waits for its content and its go, and ends the snapshot whatever happens. */
export async function runSnapshot(
  service: Service,
  taken: Taken,
  options: SnapshotOptions,
): Promise<SnapshotResult | CaptureFailed> {
  const place = { procRoot: service.procRoot, pid: taken.pid }
  try {
    const prepared = await prepareSnapshot(service, taken, options)
    if (prepared.kind === 'failed') return prepared
    const rows = parseSmaps(readFileSync(`${place.procRoot}/${place.pid}/smaps`, 'latin1'))
    const census = await readCensus(prepared, place, options)
    return 'reason' in census ? census : { kind: 'census', census, rows }
  } catch (error) {
    return { kind: 'failed', reason: 'snapshot-died', detail: `the snapshot is gone: ${String(error)}` }
  } finally {
    endProcess(taken.pid)
  }
}

type Place = { readonly procRoot: string; readonly pid: number }

async function readCensus(
  { output, start }: Prepared,
  place: Place,
  options: SnapshotOptions,
): Promise<Census | CaptureFailed> {
  const reader = new CensusReader(options.kinds)
  const budget = memoryBudget(place)
  const socket = new Socket({ fd: output, readable: true, writable: false })
  socket.setEncoding('utf8')
  let hasEnded = false
  socket.on('data', (text: string) => {
    reader.push(text)
    options.onProgress(reader.progress)
  })
  for (const event of ['end', 'close', 'error'] as const) socket.on(event, () => (hasEnded = true))
  start()
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
function memoryBudget({ procRoot, pid }: Place): () => string | undefined {
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
