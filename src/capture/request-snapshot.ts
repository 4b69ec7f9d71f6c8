import type { CaptureFailed, CaptureMethod } from '../model.ts'
import { wouldBotherAPython } from './adopter.ts'
import type { Exchange } from './exchange.ts'
import { INPUT_FLAG } from './inputs.ts'
import { reachSafePoint } from './safe-point.ts'
import type { Service } from './service.ts'
import { nowTicks } from './snapshot-identity.ts'
import type { Place } from './stub-place.ts'

export type Cloned = {
  readonly kind: 'cloned'
  /** No snapshot of this request is older, on the clock of start times. */
  readonly requestedTicks: number
  /** The snapshot's pid in the service's own pid namespace. */
  readonly innerPid: number
  readonly method: CaptureMethod
  readonly place: Place
}

/** What the snapshot needs, and what is asked of the clone. */
export type SnapshotRequest = {
  /** The service's pid in its own namespace. */
  readonly innerPid: number
  readonly alarmSeconds: number
  readonly workspaceBytes: number
  /** What the snapshot calls itself. */
  readonly name: string
}

/** Makes the service clone itself at a safe point of its interpreter. */
export async function requestSnapshot(
  service: Service,
  request: SnapshotRequest,
): Promise<Cloned | CaptureFailed> {
  const requestedTicks = nowTicks(service.procRoot)
  const isSeen = service.record.isAdoptedByPython || wouldBotherAPython(service.procRoot, service.id.pid)
  const reached = await reachSafePoint(service, {
    ...request,
    flags: isSeen ? INPUT_FLAG.ownChild : 0,
    codeBytes: service.stub.snapshot.code.length,
  })
  if (reached.kind === 'failed') return reached
  const { place, exchange } = reached
  service.pauseMs += exchange.cloneMs
  if (exchange.child <= 0) return explainRefusal(exchange)
  const method = exchange.takenByQueue ? 'pending-call' : 'resting-thread'
  return { kind: 'cloned', innerPid: exchange.child, method, requestedTicks, place }
}

function explainRefusal({ intermediate, child }: Exchange): CaptureFailed {
  const errno = -(intermediate < 0 ? intermediate : child)
  return {
    kind: 'failed',
    reason: 'clone-refused',
    detail: `the process may not clone itself (errno ${errno})`,
    hint: CLONE_HINTS[errno],
  }
}

const CLONE_HINTS: Readonly<Record<number, string>> = {
  1: 'its seccomp filter refuses clone',
  11: 'its pids.max or RLIMIT_NPROC leaves no room for two more processes',
  12: 'vm.overcommit_memory=2 leaves no room for a second copy of it',
}
