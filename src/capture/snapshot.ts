import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed, Census, MapRow, Truncation } from '../model.ts'
import { parseSmaps } from '../proc/smaps.ts'
import { CensusReader } from './census-reader.ts'
import type { GraphFile } from './graph-file.ts'
import { PayloadOutput } from './payload-output.ts'
import { type Prepared, endProcess, prepareSnapshot } from './prepare-snapshot.ts'
import type { PayloadKind } from './payload-text.ts'
import type { Service } from './service.ts'
import { type SnapshotCgroup, wasOomKilled } from './snapshot-cgroup.ts'
import type { Taken } from './take-snapshot.ts'
import type { WorkspaceContent } from './workspace.ts'

export type SnapshotOptions = {
  readonly workspace: WorkspaceContent
  readonly cgroup: SnapshotCgroup
  readonly timeoutMs: number
  readonly kinds: readonly PayloadKind[]
  /** Where the graph goes if it is asked for. */
  readonly openGraph: () => GraphFile | undefined
  /** Ends the snapshot early, with the reason, as soon as it answers one. */
  readonly mustEnd: () => Because | undefined
  readonly onProgress: (objects: number) => void
  /** What is done with it while it still waits for its go. */
  readonly whileParked: () => Promise<void>
}

export type SnapshotResult = {
  readonly kind: 'census'
  readonly census: Census
  /** Set when the census was cut off. */
  readonly truncated?: Truncation | undefined
  readonly rows: readonly MapRow[]
}

const FIRST_WORD_WITHIN_MS = 5000
/** After the payload's last word only malloc's figures are due, and they may hang on a lock. */
const LAST_WORD_WITHIN_MS = 500

/** Runs the census in a snapshot that waits for its content and its go, and ends the snapshot whatever happens. */
export async function runSnapshot(
  service: Service,
  taken: Taken,
  options: SnapshotOptions,
): Promise<SnapshotResult | CaptureFailed> {
  try {
    const prepared = await prepareSnapshot(service, taken, options)
    if (prepared.kind === 'failed') return lost(options, prepared)
    const rows = parseSmaps(readFileSync(`${service.procRoot}/${taken.pid}/smaps`, 'latin1'))
    await options.whileParked()
    const told = await readCensus(prepared, options)
    return 'reason' in told ? told : { kind: 'census', ...told, rows }
  } catch (error) {
    const detail = `the snapshot is gone: ${String(error)}`
    return lost(options, { kind: 'failed', reason: 'snapshot-died', detail })
  } finally {
    endProcess(taken.pid)
  }
}

/** What a snapshot that is gone died of. */
const lost = ({ cgroup }: SnapshotOptions, failed: CaptureFailed): CaptureFailed =>
  failed.reason === 'snapshot-died' && wasOomKilled(cgroup)
    ? { kind: 'failed', reason: 'snapshot-oom-killed', detail: OOM_KILLED }
    : failed

async function readCensus(
  { output, start }: Prepared,
  options: SnapshotOptions,
): Promise<Told | CaptureFailed> {
  const reader = new CensusReader(options.kinds)
  const graph = options.openGraph()
  const told = new PayloadOutput(reader, graph)
  const socket = new Socket({ fd: output, readable: true, writable: false })
  let hasEnded = false
  socket.on('data', (bytes: Buffer) => {
    if (!told.push(bytes)) socket.pause()
    options.onProgress(reader.progress)
  })
  graph?.onDrain(() => socket.resume())
  for (const event of ['end', 'close', 'error'] as const) socket.on(event, () => (hasEnded = true))
  start()
  let stopped: Stopped
  let lack: string | undefined
  try {
    stopped = await watch(reader, options, {
      hasEnded: () => hasEnded,
      needsMore: () => isGraphDue(reader, told, graph),
    })
  } finally {
    socket.destroy()
    lack = await graph?.close(told.hasGraph)
  }
  const concluded = conclude(reader, stopped, options.cgroup)
  if ('reason' in concluded || !options.kinds.includes('graph')) return concluded
  return told.hasGraph && lack === undefined
    ? concluded
    : withoutGraph(concluded, lack ?? reader.noGraph ?? explain(reader, stopped))
}

/** Whether the graph may still come to its end. */
const isGraphDue = (reader: CensusReader, told: PayloadOutput, graph: GraphFile | undefined): boolean =>
  graph !== undefined && graph.problem() === undefined && reader.noGraph === undefined && !told.hasGraph

function withoutGraph({ census, truncated }: Told, why: string): Told {
  return {
    census: { ...census, complete: false, problems: [...census.problems, `graph: ${why}`] },
    truncated,
  }
}

/** Why a snapshot is ended: it takes too much, or somebody else needs the turn more. */
export type Because = { readonly kind: 'budget' | 'preempted'; readonly detail: string }

type Stopped = 'ended' | 'silent' | 'late' | Because

/** Waits for the end of the output, or for a reason not to. */
async function watch(
  reader: CensusReader,
  { timeoutMs, mustEnd }: SnapshotOptions,
  { hasEnded, needsMore }: { readonly hasEnded: () => boolean; readonly needsMore: () => boolean },
): Promise<Stopped> {
  const began = performance.now()
  let completeAt: number | undefined
  for (;;) {
    const now = performance.now()
    if (hasEnded()) return 'ended'
    if (reader.fault !== undefined) return 'ended'
    if (reader.hasSaidAll && !needsMore()) completeAt ??= now
    if (completeAt !== undefined && now - completeAt > LAST_WORD_WITHIN_MS) return 'ended'
    if (!reader.hasBegun && now - began > FIRST_WORD_WITHIN_MS) return 'silent'
    if (now - began > timeoutMs) return 'late'
    const because = mustEnd()
    if (because !== undefined) return because
    await sleep(20)
  }
}

/** A census that is whole or cut off, or why there is none. */
function conclude(reader: CensusReader, stopped: Stopped, cgroup: SnapshotCgroup): Told | CaptureFailed {
  const census = reader.census()
  // What was still to come does not take the census along.
  if (census && reader.hasEnded) return { census }
  const isOomKilled = stopped === 'ended' && wasOomKilled(cgroup)
  const detail = isOomKilled ? OOM_KILLED : explain(reader, stopped)
  const cause = isOomKilled ? 'snapshot-oom-killed' : causeOf(stopped)
  const hasSaidMuch = census !== undefined && census.types.length + census.stacks.length > 0
  if (hasSaidMuch && cause !== undefined) {
    const problems = [...census.problems, detail]
    return { census: { ...census, problems }, truncated: { reason: cause, detail } }
  }
  const reason = reader.fault === undefined ? failureOf(stopped, isOomKilled) : 'bad-payload-output'
  return { kind: 'failed', reason, detail }
}

type Told = Pick<SnapshotResult, 'census' | 'truncated'>

const OOM_KILLED = "the kernel's OOM killer has ended the snapshot"

/** Why we ended it, if what it has said until then is to be kept; one that died by itself is worth another try. */
function causeOf(stopped: Stopped): Truncation['reason'] | undefined {
  if (typeof stopped === 'object') return stopped.kind
  return stopped === 'late' ? 'timeout' : undefined
}

function failureOf(stopped: Stopped, isOomKilled: boolean): CaptureFailed['reason'] {
  if (isOomKilled) return 'snapshot-oom-killed'
  if (typeof stopped === 'object') return stopped.kind === 'budget' ? 'not-enough-memory' : 'busy'
  return stopped === 'ended' ? 'snapshot-died' : 'snapshot-hung'
}

function explain(reader: CensusReader, stopped: Stopped): string {
  if (reader.fault !== undefined) return `the payload said ${reader.fault}`
  if (typeof stopped === 'object') return stopped.detail
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
