import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed, CaptureMethod } from '../model.ts'
import { type Landmark, defineRedirect, mapMemory, queuePendingCall, redirectThread } from './gdb-commands.ts'
import { judgeRedirect } from './safe-to-redirect.ts'
import { type Service, stopAndRun } from './service.ts'
import { nowTicks } from './snapshot-identity.ts'
import {
  BLOCK_STATE_BYTES,
  type BlockOptions,
  type BlockState,
  FIELD,
  FLAG,
  MAGIC,
  STATE,
  dataMappingBytes,
  decodeBlockState,
  encodeBlock,
} from './stub-block.ts'
import { type RestingThread, findRestingThread, listThreads } from './threads-at-rest.ts'

export type Cloned = {
  readonly kind: 'cloned'
  /** No snapshot of this request is older, on the clock of start times. */
  readonly requestedTicks: number
  /** The snapshot's pid in the service's own pid namespace. */
  readonly innerPid: number
  readonly method: CaptureMethod
}

/** Where our two mappings lie in the service. */
type Place = { readonly data: number; readonly code: number; readonly dataBytes: number }

/** A main thread that does not come to rest or back to the interpreter is given up after this long. */
const TAKE_WITHIN_MS = 5000
/** Until then only the main thread is asked; then any thread that rests will do. */
const MAIN_ONLY_MS = 1000
/** A thread that found the GIL taken is back at once, and may be asked again. */
const MAX_REDIRECTS = 5

/**
 * Makes the service clone itself. A busy interpreter is asked through its queue of pending calls; a thread that rests
 * is sent through the stub. Both may be asked: whoever comes first takes the request, exactly once.
 */
export async function requestSnapshot(
  service: Service,
  options: BlockOptions,
): Promise<Cloned | CaptureFailed> {
  const requestedTicks = nowTicks(service.procRoot)
  const place = await findPlace(service, dataMappingBytes(options.payload))
  if ('kind' in place) return place
  const refused = writeRequest(service, place, options)
  if (refused) return refused
  const asked = { pending: false, rest: false, redirects: 0 }
  const began = performance.now()
  while (performance.now() - began < TAKE_WITHIN_MS) {
    const tids = listThreads(service.procRoot, service.id.pid)
    const eligible = performance.now() - began < MAIN_ONLY_MS ? tids.slice(0, 1) : tids
    const thread = asked.rest
      ? undefined
      : await findRestingThread(service.procRoot, service.id.pid, eligible, service.interpreter.ranges)
    const failure = await ask(service, place, thread, { asked, options })
    if (failure) return failure
    const state = await awaitClone(service, place, 200)
    if (state) return conclude(service, state, { ...asked, requestedTicks })
    if (readState(service, place).left) asked.rest = false
  }
  return giveUp(service, place, { ...asked, requestedTicks })
}

/** What has been done so far to have the request taken. */
type Asked = { pending: boolean; rest: boolean; redirects: number }

async function ask(
  service: Service,
  place: Place,
  thread: RestingThread | undefined,
  { asked, options }: { asked: Asked; options: BlockOptions },
): Promise<CaptureFailed | undefined> {
  const verdict =
    thread === undefined || asked.redirects >= MAX_REDIRECTS ? 'unsafe' : judgeRedirect(service, thread)
  if (thread && verdict !== 'unsafe') {
    const flags = options.flags | (verdict === 'safe' ? 0 : FLAG.ifGilIsFree)
    service.memory.writeU32(place.data + FIELD.flags, flags)
    asked.redirects += 1
    const redirected = await redirect(service, place, thread)
    if (typeof redirected !== 'boolean') return redirected
    asked.rest = redirected
  } else if (!asked.pending) {
    const queued = await queue(service, place)
    if (typeof queued !== 'boolean') return queued
    asked.pending = queued
  }
  return undefined
}

/** The mappings of an earlier capture, or new ones. */
async function findPlace(service: Service, dataBytes: number): Promise<Place | CaptureFailed> {
  const { data, code, dataBytes: had = 0 } = service.record
  if (data !== undefined && code !== undefined && had >= dataBytes && isOurs(service, data))
    return { data, code, dataBytes: had }
  const output = await stopAndRun(service, mapMemory(service.id.pid, landmark(service, 'mmap'), dataBytes))
  if (typeof output !== 'string') return output
  const [, newData = '-1', newCode = '-1'] = /^pyheap-mapped (-?\d+) (-?\d+)/m.exec(output) ?? []
  const place = { data: Number(newData), code: Number(newCode), dataBytes }
  if (place.data <= 0 || place.code <= 0)
    return {
      kind: 'failed',
      reason: 'clone-refused',
      detail: 'the process cannot map 64 KiB more memory (its address space is limited)',
      hint: 'raise its RLIMIT_AS (LimitAS= in a unit)',
    }
  service.record = { ...service.record, ...place, queued: 0 }
  return place
}

function isOurs(service: Service, data: number): boolean {
  try {
    return service.memory.read(data + FIELD.magic, MAGIC.length).equals(MAGIC)
  } catch {
    return false // exec has replaced the address space
  }
}

function writeRequest(service: Service, place: Place, options: BlockOptions): CaptureFailed | undefined {
  const before = readState(service, place)
  const block = encodeBlock(service.interpreter, place.data, options)
  const isFirst = !isOurs(service, place.data)
  if (!isFirst && !before.left)
    return {
      kind: 'failed',
      reason: 'not-taken',
      detail: 'an earlier request is still on its way through a thread of the process',
      hint: 'wait until its interpreter runs Python code again',
    }
  block.writeUInt32LE(isFirst ? 0 : before.entered, FIELD.entered)
  service.memory.write(place.data, block)
  service.memory.write(place.code, service.stub.code)
  service.memory.writeU32(place.data + FIELD.state, STATE.armed)
  return undefined
}

async function queue(service: Service, place: Place): Promise<boolean | CaptureFailed> {
  // One that was cancelled may still stand in the interpreter's queue; it will take this request.
  if (service.record.queued > readState(service, place).entered) return true
  const output = await stopAndRun(
    service,
    queuePendingCall(service.id.pid, {
      isInitialized: addressOf(service, 'Py_IsInitialized'),
      addPendingCall: landmark(service, 'Py_AddPendingCall'),
      entry: place.code + service.stub.pendingEntry,
      request: place.data,
    }),
  )
  if (typeof output !== 'string') return output
  if (/^pyheap-queued -2$/m.test(output))
    return {
      kind: 'failed',
      reason: 'not-python',
      detail: 'it has loaded Python and not started it',
      hint: 'capture one of its children instead, where the interpreter runs',
    }
  const isQueued = /^pyheap-queued 0$/m.test(output)
  if (isQueued) service.record = { ...service.record, queued: service.record.queued + 1 }
  return isQueued
}

const landmark = (service: Service, name: string): Landmark => {
  const address = addressOf(service, name)
  return { address, value: service.memory.read(address, 8).readBigUInt64LE() }
}

const addressOf = ({ interpreter }: Service, name: string): number => {
  const address = interpreter.addresses.get(name)
  if (address === undefined) throw new Error(`${name} was required and is not there`)
  return address
}

async function redirect(
  service: Service,
  place: Place,
  thread: RestingThread,
): Promise<boolean | CaptureFailed> {
  const slots = Buffer.alloc(24)
  slots.writeBigUInt64LE(BigInt(place.data), 0)
  slots.writeBigUInt64LE(BigInt(thread.sp), 8)
  slots.writeBigUInt64LE(BigInt(thread.pc), 16)
  service.memory.write(place.code + service.stub.slots, slots)
  const entry = place.code + service.stub.restEntry
  const value = service.memory.read(entry, 8).readBigUInt64LE()
  service.gdb.define(defineRedirect(thread, { address: entry, value }, place.data + FIELD.left))
  const output = await stopAndRun(service, redirectThread(service.id.pid, thread))
  const isRedirected = typeof output === 'string' && /^pyheap-redirected 1$/m.test(output)
  return typeof output === 'string' ? isRedirected : output
}

async function awaitClone(service: Service, place: Place, withinMs: number): Promise<BlockState | undefined> {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    const state = readState(service, place)
    if (state.state === STATE.done || state.intermediate < 0) return state
    await sleep(1)
  }
  return undefined
}

function conclude(
  service: Service,
  state: BlockState,
  asked: { readonly rest: boolean; readonly requestedTicks: number },
): Cloned | CaptureFailed {
  service.pauseMs += state.cloneMs
  if (state.child > 0)
    return {
      kind: 'cloned',
      innerPid: state.child,
      method: asked.rest ? 'resting-thread' : 'pending-call',
      requestedTicks: asked.requestedTicks,
    }
  const errno = -(state.intermediate < 0 ? state.intermediate : state.child)
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
  asked: { readonly rest: boolean; readonly requestedTicks: number },
): Promise<Cloned | CaptureFailed> {
  if (readState(service, place).state === STATE.armed) {
    service.memory.writeU32(place.data + FIELD.state, STATE.taken)
    const state = await awaitClone(service, place, 50)
    if (state) return conclude(service, state, asked)
  }
  return {
    kind: 'failed',
    reason: 'not-taken',
    detail: `its interpreter did not come to a safe point within ${TAKE_WITHIN_MS / 1000} s`,
    hint: 'it is busy in native code; the capture is tried again later',
  }
}

/** What the stub has written so far. */
export function readState(service: Service, place: { readonly data: number }): BlockState {
  return decodeBlockState(service.memory.read(place.data, BLOCK_STATE_BYTES))
}
