import type { CaptureFailed } from '../model.ts'
import { EXCHANGE, type Exchange, NOT_STARTED, STATE } from './exchange.ts'
import { INPUT, INPUT_FLAG, TASK } from './inputs.ts'
import { standingOfMain } from './main-stack.ts'
import { judgeRedirect } from './safe-to-redirect.ts'
import type { Service } from './service.ts'
import {
  type Errand,
  type Place,
  awaitExchange,
  findPlace,
  readExchange,
  sendThread,
  writeStub,
} from './stub-place.ts'
import { type RestingThread, findRestingThread, listThreads } from './threads-at-rest.ts'

/** The stub has done at a safe point what it was asked for. */
export type Reached = { readonly kind: 'reached'; readonly place: Place; readonly exchange: Exchange }

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
 * Has the stub run where the interpreter is at a safe point. A busy one is asked through its queue of pending calls; a
 * thread that rests is sent through the stub. Both may be asked: whoever comes first takes the request, exactly once.
 * What was taken is waited for, `withinMs` at most.
 */
export async function reachSafePoint(
  service: Service,
  errand: Omit<Errand, 'task' | 'reap'>,
  withinMs = 0,
): Promise<Reached | CaptureFailed> {
  const place = findPlace(service)
  if ('kind' in place) return place
  const refused = await writeRequest(service, place, errand)
  if (refused) return refused
  const asked = { pending: false, redirects: 0 }
  const began = performance.now()
  while (performance.now() - began < TAKE_WITHIN_MS) {
    const tids = listThreads(service.procRoot, service.id.pid)
    const eligible = performance.now() - began < MAIN_ONLY_MS ? tids.slice(0, 1) : tids
    const { procRoot, id, interpreter } = service
    const thread = await findRestingThread(procRoot, id.pid, eligible, interpreter.ranges)
    const failed = await ask(service, place, thread, asked)
    if (failed) return failed
    const exchange = await awaitExchange(service, place, isTaken, asked.pending ? 200 : 10)
    if (exchange && isTaken(exchange)) return finish(service, place, withinMs)
  }
  return giveUp(service, place, withinMs)
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

async function writeRequest(
  service: Service,
  place: Place,
  errand: Omit<Errand, 'task' | 'reap'>,
): Promise<CaptureFailed | undefined> {
  const refused = await writeStub(service, place, { ...errand, task: 'safe-point', reap: 0 })
  // A new exchange is born armed, with the zeros of fresh memory.
  if (!refused && readExchange(service, place))
    service.memory.writeU32(place.exchange + EXCHANGE.state, STATE.armed)
  return refused
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
  service.memory.writeU32(inputs + INPUT.task, TASK['safe-point'])
  service.memory.writeU32(inputs + INPUT.flags, flags | (verdict === 'safe' ? 0 : INPUT_FLAG.ifGilIsFree))
  asked.redirects += 1
  const sent = await sendThread(service, place, { kind: 'resting', thread })
  if (typeof sent !== 'boolean') return sent
  if (!sent) return undefined
  // It may have to wait for the GIL. Until it is back, gdb must not touch the process again: a second stop would make
  // the thread forget how its own system call is to be restarted.
  return noRoom(service, place, await awaitExchange(service, place, hasReturned, TAKE_WITHIN_MS))
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
  if (!exchange?.left) return noRoom(service, place, exchange)
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

const isTaken = ({ state }: Exchange): boolean => state !== STATE.armed
const isDone = ({ state }: Exchange): boolean => state === STATE.done
const hasReturned = (exchange: Exchange): boolean => exchange.left || isDone(exchange)

/** Waits for what was taken; a clone is a matter of milliseconds, code of an operator may take long. */
async function finish(service: Service, place: Place, withinMs: number): Promise<Reached | CaptureFailed> {
  const exchange = await awaitExchange(service, place, isDone, Math.max(withinMs, TAKE_WITHIN_MS))
  if (exchange && isDone(exchange)) return { kind: 'reached', place, exchange }
  return {
    kind: 'failed',
    reason: 'not-taken',
    detail: 'the process has begun and not finished in time',
    hint: 'it may be stopped, or out of memory',
  }
}

function noRoom(
  { memory }: Service,
  { code }: Place,
  exchange: Exchange | undefined,
): CaptureFailed | undefined {
  if (exchange) return undefined
  memory.read(code, 8) // which fails where the process has called exec meanwhile
  return {
    kind: 'failed',
    reason: 'no-room',
    detail: 'the process cannot map 20 KiB more memory (its address space is limited)',
    hint: 'raise its RLIMIT_AS (LimitAS= in a unit)',
  }
}

/** Takes the request back. It may be taken at this very moment, and then it stands. */
async function giveUp(service: Service, place: Place, withinMs: number): Promise<Reached | CaptureFailed> {
  const before = readExchange(service, place)
  if (before?.state === STATE.armed) service.memory.writeU32(place.exchange + EXCHANGE.state, STATE.taken)
  const exchange = await awaitExchange(service, place, isDone, 50)
  if (exchange && isDone(exchange)) return { kind: 'reached', place, exchange }
  if (before && before.state === STATE.taken) return finish(service, place, withinMs)
  return {
    kind: 'failed',
    reason: 'not-taken',
    detail: `its interpreter did not come to a safe point within ${TAKE_WITHIN_MS / 1000} s`,
    hint: 'it is busy in native code; the capture is tried again later',
  }
}
