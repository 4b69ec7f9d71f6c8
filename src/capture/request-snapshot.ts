import type { CaptureFailed, CaptureMethod } from '../model.ts'
import { wouldBotherAPython } from './adopter.ts'
import { EXCHANGE, type Exchange, NOT_STARTED, STATE, encodeFreshExchange } from './exchange.ts'
import { INPUT, INPUT_FLAG, TASK } from './inputs.ts'
import { standingOfMain } from './main-stack.ts'
import { judgeRedirect } from './safe-to-redirect.ts'
import type { Service } from './service.ts'
import { nowTicks } from './snapshot-identity.ts'
import { type Place, awaitExchange, findPlace, readExchange, sendThread, writeStub } from './stub-place.ts'
import { type RestingThread, findRestingThread, listThreads } from './threads-at-rest.ts'

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
}

/** A main thread that does not come to rest or back to the interpreter is given up after this long. */
const TAKE_WITHIN_MS = 5000
/** Until then only the main thread is asked; then any thread that rests will do. */
const MAIN_ONLY_MS = 1000
/** A thread that only queues a call is back within this. */
const BACK_WITHIN_MS = 1000
/** A thread that found the GIL taken is back at once, and may be asked again. */
const MAX_REDIRECTS = 5

/** What has been done so far to have the request taken. */
type Asked = { pending: boolean; redirects: number }

/**
 * Makes the service clone itself. A busy interpreter is asked through its queue of pending calls; a thread that rests
 * is sent through the stub. Both may be asked: whoever comes first takes the request, exactly once.
 */
export async function requestSnapshot(
  service: Service,
  request: SnapshotRequest,
): Promise<Cloned | CaptureFailed> {
  const requestedTicks = nowTicks(service.procRoot)
  const asked = { pending: false, redirects: 0 }
  const place = findPlace(service)
  if ('kind' in place) return place
  const refused = writeRequest(service, place, request)
  if (refused) return refused
  const began = performance.now()
  while (performance.now() - began < TAKE_WITHIN_MS) {
    const tids = listThreads(service.procRoot, service.id.pid)
    const eligible = performance.now() - began < MAIN_ONLY_MS ? tids.slice(0, 1) : tids
    const { procRoot, id, interpreter } = service
    const thread = await findRestingThread(procRoot, id.pid, eligible, interpreter.ranges)
    const failed = await ask(service, place, thread, asked)
    if (failed) return failed
    const exchange = await awaitExchange(service, place, isCloned, asked.pending ? 200 : 10)
    if (exchange && isCloned(exchange)) return conclude(service, place, exchange, requestedTicks)
  }
  return giveUp(service, place, requestedTicks)
}

/** Sends the resting thread, or has the call queued. */
async function ask(
  service: Service,
  place: Place,
  thread: RestingThread | undefined,
  asked: Asked,
): Promise<CaptureFailed | undefined> {
  const verdict =
    thread === undefined || asked.redirects >= MAX_REDIRECTS ? 'unsafe' : judgeRedirect(service, thread)
  if (thread && verdict !== 'unsafe') return redirect(service, place, { thread, verdict, asked })
  return asked.pending ? undefined : queue(service, place, asked)
}

function writeRequest(service: Service, place: Place, request: SnapshotRequest): CaptureFailed | undefined {
  const before = readExchange(service, place)
  if (before && !before.left)
    return {
      kind: 'failed',
      reason: 'not-taken',
      detail: 'an earlier request is still on its way through a thread of the process',
      hint: 'wait until its interpreter runs Python code again',
    }
  if (before) service.memory.write(place.exchange, encodeFreshExchange(before.entered))
  const isSeen = service.record.isAdoptedByPython || wouldBotherAPython(service.procRoot, service.id.pid)
  writeStub(service, place, {
    ...request,
    task: 'clone',
    flags: isSeen ? INPUT_FLAG.ownChild : 0,
    codeBytes: service.stub.snapshot.code.length,
    reap: 0,
  })
  // A new exchange is born armed, with the zeros of fresh memory.
  if (before) service.memory.writeU32(place.exchange + EXCHANGE.state, STATE.armed)
  return undefined
}

type Redirect = {
  readonly thread: RestingThread
  readonly verdict: 'safe' | 'if-gil-is-free'
  readonly asked: Asked
}

async function redirect(
  service: Service,
  place: Place,
  { thread, verdict, asked }: Redirect,
): Promise<CaptureFailed | undefined> {
  const inputs = place.code + service.stub.service.inputs
  const flags = service.memory.read(inputs + INPUT.flags, 4).readUInt32LE() & INPUT_FLAG.ownChild
  service.memory.writeU32(inputs + INPUT.task, TASK.clone)
  service.memory.writeU32(inputs + INPUT.flags, flags | (verdict === 'safe' ? 0 : INPUT_FLAG.ifGilIsFree))
  asked.redirects += 1
  const sent = await sendThread(service, place, { kind: 'resting', thread })
  if (typeof sent !== 'boolean') return sent
  if (!sent) return undefined
  // It may have to wait for the GIL. Until it is back, gdb must not touch the process again: a second stop would make
  // the thread forget how its own system call is to be restarted.
  return noRoom(await awaitExchange(service, place, hasReturned, TAKE_WITHIN_MS))
}

async function queue(service: Service, place: Place, asked: Asked): Promise<CaptureFailed | undefined> {
  // One that was cancelled may still stand in the interpreter's queue; it will take this request.
  if (service.record.queued > (readExchange(service, place)?.entered ?? 0)) {
    asked.pending = true
    return undefined
  }
  service.memory.writeU32(place.code + service.stub.service.inputs + INPUT.task, TASK.queue)
  const sent = await sendThread(service, place, standingOfMain(service))
  if (typeof sent !== 'boolean') return sent
  if (!sent) return undefined
  const exchange = await awaitExchange(service, place, ({ left }) => left, BACK_WITHIN_MS)
  if (!exchange?.left) return noRoom(exchange)
  if (exchange.queued === NOT_STARTED)
    return {
      kind: 'failed',
      reason: 'not-python',
      detail: 'it has loaded Python and not started it',
      hint: 'capture one of its children instead, where the interpreter runs',
    }
  asked.pending = exchange.queued === 0
  if (asked.pending) service.record = { ...service.record, queued: service.record.queued + 1 }
  return undefined
}

const isCloned = ({ state, intermediate }: Exchange): boolean => state === STATE.done || intermediate < 0
const hasReturned = (exchange: Exchange): boolean => exchange.left || isCloned(exchange)

function noRoom(exchange: Exchange | undefined): CaptureFailed | undefined {
  if (exchange) return undefined
  return {
    kind: 'failed',
    reason: 'no-room',
    detail: 'the process cannot map 20 KiB more memory (its address space is limited)',
    hint: 'raise its RLIMIT_AS (LimitAS= in a unit)',
  }
}

function conclude(
  service: Service,
  place: Place,
  exchange: Exchange,
  requestedTicks: number,
): Cloned | CaptureFailed {
  service.pauseMs += exchange.cloneMs
  if (exchange.child > 0)
    return {
      kind: 'cloned',
      innerPid: exchange.child,
      // A queued call is counted when it runs; the request may have been taken by the redirected thread all the same.
      method: exchange.takenByQueue ? 'pending-call' : 'resting-thread',
      requestedTicks,
      place,
    }
  const errno = -(exchange.intermediate < 0 ? exchange.intermediate : exchange.child)
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

/** Takes the request back. It may be taken at this very moment, and then it stands. */
async function giveUp(
  service: Service,
  place: Place,
  requestedTicks: number,
): Promise<Cloned | CaptureFailed> {
  if (readExchange(service, place)?.state === STATE.armed)
    service.memory.writeU32(place.exchange + EXCHANGE.state, STATE.taken)
  const exchange = await awaitExchange(service, place, isCloned, 50)
  if (exchange && isCloned(exchange)) return conclude(service, place, exchange, requestedTicks)
  return {
    kind: 'failed',
    reason: 'not-taken',
    detail: `its interpreter did not come to a safe point within ${TAKE_WITHIN_MS / 1000} s`,
    hint: 'it is busy in native code; the capture is tried again later',
  }
}
