import type { CaptureFailed } from '../model.ts'
import { hostPid, innerPid } from './host-pid.ts'
import { readStat } from './read-stat.ts'
import { type Cloned, requestSnapshot } from './request-snapshot.ts'
import type { Service } from './service.ts'
import { isSnapshotOf } from './snapshot-identity.ts'
import { snapshotName } from './snapshot-name.ts'
import { writeRecord } from './target-record.ts'
import { areOthersAtRest, listThreads } from './threads-at-rest.ts'
import { WORKSPACE_FLAG, type WorkspaceContent, workspaceBytes } from './workspace.ts'

/** A snapshot that waits for its content and its go. */
export type Taken = {
  readonly kind: 'taken'
  /** As we see it. */
  readonly pid: number
  readonly startTicks: number
  readonly cloned: Cloned
}

/** Makes the service clone itself, and makes sure that what it calls its clone is one. */
export async function takeSnapshot(
  service: Service,
  content: Pick<WorkspaceContent, 'payload'>,
  aliveMs: number,
  name = snapshotName(service.runDir),
): Promise<Taken | CaptureFailed> {
  const { procRoot, id } = service
  const cloned = await requestSnapshot(service, {
    innerPid: innerPid(procRoot, id.pid) ?? id.pid,
    alarmSeconds: Math.ceil(aliveMs / 1000) + 30,
    workspaceBytes: workspaceBytes(content.payload),
    name,
  })
  if (cloned.kind === 'failed') return cloned
  const pid = hostPid(procRoot, id.pid, cloned.innerPid)
  const stat = pid === undefined ? undefined : readStat(procRoot, pid)
  if (pid === undefined || !stat || !isSnapshotOf(procRoot, id.pid, pid, cloned.requestedTicks))
    return {
      kind: 'failed',
      reason: 'snapshot-died',
      detail: 'there is no snapshot with the pid that the process has told',
    }
  service.record = { ...service.record, snapshot: { pid, startTicks: stat.startTicks } }
  writeRecord(service.runDir, service.record)
  return { kind: 'taken', pid, startTicks: stat.startTicks, cloned }
}

/**
 * Without other threads, or while all of them rest, the snapshot needs no clean-up and loses nothing to it. The native
 * walker is left out of the second attempt: what it met may have been more than it could bear.
 */
export function chooseFlags({ procRoot, id, interpreter }: Service, attempt: number): number {
  const isAlone = listThreads(procRoot, id.pid).length === 1
  const isQuiet = attempt === 1 && areOthersAtRest(procRoot, id.pid, id.pid, interpreter.ranges)
  const walker = attempt === 2 ? 0 : WORKSPACE_FLAG.nativeWalk
  if (isAlone || isQuiet) return walker
  return walker | WORKSPACE_FLAG.afterFork | (interpreter.minor >= 13 ? WORKSPACE_FLAG.importLock : 0)
}
