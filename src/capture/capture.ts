import { readFileSync } from 'node:fs'
import type { CaptureFailed, CaptureKind, CaptureOutcome, Captured, Phase, ProcessId } from '../model.ts'
import { awaitCaptureLock } from './capture-lock.ts'
import { endSnapshots } from './end-snapshots.ts'
import { type GateFacts, parseGateFacts, refuseState } from './gate.ts'
import { completeMap } from './memory-map.ts'
import { GdbSession } from './gdb-session.ts'
import { hostIsShort, refuseMemory } from './host-memory.ts'
import { bury } from './bury.ts'
import { hostPid, innerPid } from './host-pid.ts'
import { resolveInterpreter } from './interpreter.ts'
import { askFor } from './payload-text.ts'
import { AddressSpaceGone, ProcessMemory } from './process-memory.ts'
import { readStat } from './read-stat.ts'
import { requestSnapshot } from './request-snapshot.ts'
import { readSeccomp, refuseSeccomp } from './seccomp-risk.ts'
import type { Service } from './service.ts'
import type { Stub } from './stub-file.ts'
import { WORKSPACE_FLAG, workspaceBytes } from './workspace.ts'
import { type SnapshotResult, runSnapshot } from './snapshot.ts'
import { isSnapshotOf } from './snapshot-identity.ts'
import type { OpenGdb } from './open-gdb.ts'
import { openSnapshotCgroup } from './snapshot-cgroup.ts'
import { readRecord, writeRecord } from './target-record.ts'
import { areOthersAtRest, listThreads } from './threads-at-rest.ts'

export type CaptureSubject = {
  readonly id: ProcessId
  readonly unit?: string | undefined
  readonly containerId?: string | undefined
}

export type CaptureSettings = {
  readonly procRoot: string
  readonly runDir: string
  readonly openGdb: OpenGdb
  readonly stub: Stub
  readonly payload: Buffer
  readonly kinds: readonly CaptureKind[]
  /** For the census in the snapshot. */
  readonly timeoutMs: number
  readonly gdbTimeoutMs: number
  /** How long to wait while another capture is taken on this host. */
  readonly lockTimeoutMs: number
  readonly maxRssBytes: number
  /** Share of the host's memory that has to stay available. */
  readonly hostReserveShare: number
  readonly onProgress: (objects: number) => void
}

const MAX_ATTEMPTS = 3

/**
 * Takes one snapshot of a live process and reads it. The process stands still for some tens of milliseconds and is
 * otherwise left as it was; whatever goes wrong, goes wrong in the snapshot.
 */
export async function capture(subject: CaptureSubject, settings: CaptureSettings): Promise<CaptureOutcome> {
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
    return await captureAlone(subject, settings)
  } catch (error) {
    if (isGone(subject, settings)) return gone(subject.id.pid)
    if (error instanceof AddressSpaceGone)
      return { kind: 'failed', reason: 'gone', detail: `process ${subject.id.pid} has called exec meanwhile` }
    throw error
  } finally {
    endSnapshots(settings.procRoot, settings.runDir)
    lock.release()
  }
}

async function captureAlone(subject: CaptureSubject, settings: CaptureSettings): Promise<CaptureOutcome> {
  const { procRoot } = settings
  const { pid } = subject.id
  const began = performance.now()
  if (isGone(subject, settings)) return gone(pid)
  const facts = parseGateFacts(readFileSync(`${procRoot}/${pid}/status`, 'latin1'))
  const seccomp = readSeccomp(procRoot, pid)
  const refused =
    refuseState(facts, settings.maxRssBytes) ??
    refuseMemory(facts, settings) ??
    (seccomp.mode === 2 ? await refuseSeccomp(subject, seccomp.filters) : undefined)
  if (refused) return refused
  const interpreter = resolveInterpreter(procRoot, pid)
  if (interpreter.kind === 'failed') return interpreter
  const resolved = performance.now()
  const gdb = await settings.openGdb()
  if (!(gdb instanceof GdbSession)) return gdb
  const memory = new ProcessMemory(procRoot, pid)
  try {
    const warm = performance.now()
    const service = openService(subject, settings, { interpreter, memory, gdb })
    const outcome = await captureWithRetries(service, facts, settings)
    if (outcome.kind === 'failed') return outcome
    const phases = [
      { name: 'check and resolve symbols', ms: resolved - began },
      { name: 'get gdb', ms: warm - resolved },
      ...outcome.phases,
    ]
    return { ...outcome, phases: phases.map(({ name, ms }) => ({ name, ms: round(ms) })) }
  } finally {
    memory.close()
    await gdb.close()
  }
}

function openService(
  { id }: CaptureSubject,
  { procRoot, runDir, gdbTimeoutMs, stub }: CaptureSettings,
  parts: Pick<Service, 'interpreter' | 'memory' | 'gdb'>,
): Service {
  return { id, procRoot, runDir, gdbTimeoutMs, stub, ...parts, record: readRecord(runDir, id), pauseMs: 0 }
}

/** A snapshot that hangs or dies costs the service nothing: another is taken, and told that threads are gone. */
async function captureWithRetries(
  service: Service,
  facts: GateFacts,
  settings: CaptureSettings,
): Promise<CaptureOutcome> {
  let failure: CaptureFailed | undefined
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const outcome = await captureOnce(service, settings, attempt)
    if (outcome.kind === 'captured')
      return { ...outcome, memoryMap: completeMap(outcome.memoryMap, facts, service) }
    failure ??= outcome
    if (outcome.reason !== 'snapshot-hung' && outcome.reason !== 'snapshot-died') return outcome
  }
  return failure ?? gone(service.id.pid)
}

async function captureOnce(
  service: Service,
  settings: CaptureSettings,
  attempt: number,
): Promise<CaptureOutcome> {
  const began = performance.now()
  const payload = askFor(settings.payload, settings.kinds)
  const flags = chooseFlags(service, attempt)
  const cloned = await requestSnapshot(service, {
    innerPid: innerPid(service.procRoot, service.id.pid) ?? service.id.pid,
    alarmSeconds: Math.ceil(settings.timeoutMs / 1000) + 30,
    workspaceBytes: workspaceBytes(payload),
  })
  if (cloned.kind === 'failed') return cloned
  const requested = performance.now()
  const pid = hostPid(service.procRoot, service.id.pid, cloned.innerPid)
  const stat = pid === undefined ? undefined : readStat(service.procRoot, pid)
  if (
    pid === undefined ||
    !stat ||
    !isSnapshotOf(service.procRoot, service.id.pid, pid, cloned.requestedTicks)
  )
    return {
      kind: 'failed',
      reason: 'snapshot-died',
      detail: 'there is no snapshot with the pid that the process has told',
    }
  service.record = { ...service.record, snapshot: { pid, startTicks: stat.startTicks } }
  writeRecord(service.runDir, service.record)
  const { onProgress, timeoutMs, procRoot } = settings
  const result = await runSnapshot({
    procRoot,
    pid,
    exchange: cloned.place.exchange,
    interpreter: service.interpreter,
    code: service.stub.snapshot,
    workspace: { flags, payload },
    cgroup: openSnapshotCgroup(procRoot),
    timeoutMs,
    kinds: settings.kinds,
    mustEnd: () => hostIsShort(settings),
    onProgress,
  })
  const finished = performance.now()
  await bury(service, pid, stat.startTicks, cloned)
  if (result.kind === 'failed') return result
  const phases: Phase[] = [
    { name: 'request and clone', ms: requested - began },
    { name: 'census in the snapshot', ms: finished - requested },
    { name: 'end the snapshot', ms: performance.now() - finished },
  ]
  return describe(service, cloned.method, result, { phases, attempts: attempt })
}

const describe = (
  service: Service,
  method: Captured['method'],
  { census, rows }: SnapshotResult,
  cost: Pick<Captured, 'phases' | 'attempts'>,
): Captured => ({
  kind: 'captured',
  method,
  pauseMs: round(service.pauseMs),
  ...cost,
  census,
  memoryMap: { rows },
})

/**
 * Without other threads, or while all of them rest, the snapshot needs no clean-up and loses nothing to it. The native
 * walker is left out of the second attempt: what it met may have been more than it could bear.
 */
function chooseFlags({ procRoot, id, interpreter }: Service, attempt: number): number {
  const isAlone = listThreads(procRoot, id.pid).length === 1
  const isQuiet = attempt === 1 && areOthersAtRest(procRoot, id.pid, id.pid, interpreter.ranges)
  const walker = attempt === 2 ? 0 : WORKSPACE_FLAG.nativeWalk
  if (isAlone || isQuiet) return walker
  return walker | WORKSPACE_FLAG.afterFork | (interpreter.minor >= 13 ? WORKSPACE_FLAG.importLock : 0)
}

const isGone = ({ id }: CaptureSubject, { procRoot }: CaptureSettings): boolean =>
  readStat(procRoot, id.pid)?.startTicks !== id.startTicks

const gone = (pid: number): CaptureFailed => ({
  kind: 'failed',
  reason: 'gone',
  detail: `process ${pid} has ended`,
})

const round = (ms: number): number => Math.round(ms * 10) / 10
