import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed, Container, Phase, ProcessId } from '../model.ts'
import { awaitCaptureLock } from './capture-lock.ts'
import { endSnapshots } from './end-snapshots.ts'
import { type GateFacts, parseGateFacts, refuseState } from './gate.ts'
import { GdbSession } from './gdb-session.ts'
import { refuseMemory } from './host-memory.ts'
import { resolveInterpreter } from './interpreter.ts'
import { type Lease, takeLease } from './lease.ts'
import type { OpenGdb } from './open-gdb.ts'
import { refuseUnstarted } from './refuse-unstarted.ts'
import { AddressSpaceGone, ProcessMemory } from './process-memory.ts'
import { readStat } from './read-stat.ts'
import { readSeccomp, refuseSeccomp } from './seccomp-risk.ts'
import type { Service } from './service.ts'
import type { Stub } from './stub-file.ts'
import { type ReadLimits, refuseHeadroom } from './target-headroom.ts'
import { readRecord, writeRecord } from './target-record.ts'

/** Whom to look into. */
export type CaptureSubject = {
  readonly id: ProcessId
  readonly unit?: string | undefined
  readonly container?: Pick<Container, 'runtime'> | undefined
}

/** What every way into a service needs. */
export type ServiceSettings = {
  readonly procRoot: string
  readonly runDir: string
  readonly openGdb: OpenGdb
  readonly stub: Stub
  readonly gdbTimeoutMs: number
  /** How long to wait while another capture is taken on this host. */
  readonly lockTimeoutMs: number
  readonly maxRssBytes: number
  /** Share of the host's memory that has to stay available. */
  readonly hostReserveShare: number
  /** The limits of the service's own cgroups. */
  readonly readLimits: ReadLimits
}

/** A service that may be entered, what was known of it before, and what it took to get here. */
export type Entrance = {
  readonly service: Service
  readonly facts: GateFacts
  readonly phases: readonly Phase[]
}

/**
 * Checks that a process may be entered, gets a gdb ready and does something with it, alone on this host. Whatever
 * snapshots of ours are left afterwards are ended.
 */
export async function withService<Result>(
  subject: CaptureSubject,
  settings: ServiceSettings,
  act: (entrance: Entrance) => Promise<Result | CaptureFailed>,
): Promise<Result | CaptureFailed> {
  if (process.getuid?.() !== 0)
    return {
      kind: 'failed',
      reason: 'not-root',
      detail: 'only root may look into other processes',
      hint: 'use sudo',
    }
  const startOf = (pid: number): number | undefined => readStat(settings.procRoot, pid)?.startTicks
  const lock = await awaitCaptureLock(settings.runDir, startOf, settings.lockTimeoutMs)
  if (lock.kind === 'busy')
    return {
      kind: 'failed',
      reason: 'busy',
      detail: `process ${lock.by} is taking a capture on this host`,
      hint: 'try again when it is done',
    }
  try {
    const outcome = await enter(subject, settings, act)
    return isPuzzling(outcome) && (await ends(subject, settings)) ? gone(subject.id.pid) : outcome
  } catch (error) {
    if (isGone(subject, settings) || isEnding(error)) return gone(subject.id.pid)
    if (error instanceof AddressSpaceGone)
      return { kind: 'failed', reason: 'gone', detail: `process ${subject.id.pid} has called exec meanwhile` }
    throw error
  } finally {
    endSnapshots(settings.procRoot, settings.runDir)
    lock.release()
  }
}

async function enter<Result>(
  subject: CaptureSubject,
  settings: ServiceSettings,
  act: (entrance: Entrance) => Promise<Result | CaptureFailed>,
): Promise<Result | CaptureFailed> {
  const { procRoot, runDir, gdbTimeoutMs, stub } = settings
  const { id } = subject
  const began = performance.now()
  if (isGone(subject, settings)) return gone(id.pid)
  const facts = await awaitFacts(procRoot, id.pid)
  const seccomp = readSeccomp(procRoot, id.pid)
  const refused =
    refuseState(facts, settings.maxRssBytes) ??
    refuseMemory(facts, settings) ??
    refuseHeadroom(facts, settings.readLimits()) ??
    (seccomp.mode === 2 ? await refuseSeccomp(subject, seccomp.filters) : undefined)
  if (refused) return refused
  const interpreter = resolveInterpreter(procRoot, id.pid)
  if (interpreter.kind === 'failed') return interpreter
  const resolved = performance.now()
  const gdb = await settings.openGdb()
  if (!(gdb instanceof GdbSession)) return gdb
  let memory: ProcessMemory | undefined
  let lease: Lease | undefined
  try {
    memory = new ProcessMemory(procRoot, id.pid)
    const notStarted = refuseUnstarted(memory, interpreter)
    if (notStarted) return notStarted
    const phases = [
      { name: 'check and resolve symbols', ms: resolved - began },
      { name: 'get gdb', ms: performance.now() - resolved },
    ]
    const former = readRecord(runDir, id)
    const taken = await takeLease({ procRoot, id, memory, stub }, former.lease, settings.lockTimeoutMs)
    if ('kind' in taken) return taken
    lease = taken
    const record = { ...former, lease: lease.token }
    writeRecord(runDir, record)
    const entered = { id, procRoot, runDir, gdbTimeoutMs, stub, interpreter, memory, gdb, lease }
    return await act({ service: { ...entered, record, pauseMs: 0 }, facts, phases })
  } finally {
    lease?.release()
    memory?.close()
    await gdb.close()
  }
}

/** A process that spawns another with vfork waits for it in state D, for some milliseconds. */
const WAITS_MS = 1000

async function awaitFacts(procRoot: string, pid: number): Promise<GateFacts> {
  for (let waited = 0; ; waited += 20) {
    const facts = parseGateFacts(readFileSync(`${procRoot}/${pid}/status`, 'latin1'))
    if (facts.state !== 'D' || waited >= WAITS_MS) return facts
    await sleep(20)
  }
}

const isGone = ({ id }: CaptureSubject, { procRoot }: ServiceSettings): boolean =>
  readStat(procRoot, id.pid)?.startTicks !== id.startTicks

/** Failures that a process which is killed in the middle looks like. */
const PUZZLING: ReadonlySet<string> = new Set(['gdb-failed', 'no-room', 'not-taken', 'snapshot-died'])

const isPuzzling = (outcome: unknown): boolean =>
  typeof outcome === 'object' &&
  outcome !== null &&
  'reason' in outcome &&
  PUZZLING.has(String(outcome.reason))

/** Whether the process has ended, or is about to: it may take a moment until its parent could notice. */
async function ends({ id }: CaptureSubject, { procRoot }: ServiceSettings): Promise<boolean> {
  for (let waited = 0; waited < 200; waited += 20) {
    const stat = readStat(procRoot, id.pid)
    if (stat?.startTicks !== id.startTicks || stat.state === 'Z' || stat.state === 'X') return true
    await sleep(20)
  }
  return false
}

/** Of a process that is just ending, /proc tells less and less. */
const isEnding = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ENOENT' || error.code === 'ESRCH') &&
  'path' in error &&
  String(error.path).startsWith('/proc/')

const gone = (pid: number): CaptureFailed => ({
  kind: 'failed',
  reason: 'gone',
  detail: `process ${pid} has ended`,
})
