import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed, CaptureMethod } from '../model.ts'
import { parseMaps } from '../proc/maps.ts'
import { innerPid } from './host-pid.ts'
import type { Room, TASK } from './inputs.ts'
import { standingOfMain } from './main-stack.ts'
import { runRemotely } from './remote-exec.ts'
import { LIVE, encodeRoom, roomBytes } from './room.ts'
import { reachSafePoint } from './safe-point.ts'
import type { Service } from './service.ts'
import { type Errand, awaitExchange, findPlace, sendThread, writeStub } from './stub-place.ts'

/** What Python source has left in RESULT, which ran in the service itself. */
export type RanLive = {
  readonly kind: 'ran'
  readonly result: Buffer
  readonly method: CaptureMethod | 'remote-exec'
  /** How long gdb held the service, without the time that the source itself took. */
  readonly pauseMs: number
}

/** From the exchange, in whose gap between mappings the room lies too. */
const ROOM_OFFSET = 16 * 2 ** 20
const ERRAND_WITHIN_MS = 1000
const MAX_TRIES = 50

/**
 * Runs Python source in the service itself, at a safe point of its interpreter and with the GIL held: through the
 * interpreter's own interface where it has one and takes it up, else through ours. Not for captures: what the source
 * does, it does to the service.
 */
export async function runLive(
  service: Service,
  source: Buffer,
  withinMs: number,
): Promise<RanLive | CaptureFailed> {
  const remote = await runRemotely(service, source, withinMs)
  if (remote.kind === 'failed') return remote
  if (remote.kind === 'ran') return { ...remote, method: 'remote-exec', pauseMs: 0 }
  return runAtSafePoint(service, source, withinMs)
}

async function runAtSafePoint(
  service: Service,
  source: Buffer,
  withinMs: number,
): Promise<RanLive | CaptureFailed> {
  const room = planRoom(service, source)
  if ('kind' in room) return room
  const errand = { innerPid: innerPid(service.procRoot, service.id.pid) ?? service.id.pid, room }
  const mapped = await runErrand(service, 'map-room', errand)
  if (mapped) return mapped
  const { memory, stub, interpreter } = service
  memory.write(room.address, encodeRoom(source, room.address, interpreter))
  memory.write(room.address + room.dataBytes, stub.live.code)
  const nothing = { alarmSeconds: 0, workspaceBytes: 0, codeBytes: 0, flags: 0, name: '' }
  const reached = await reachSafePoint(service, { ...nothing, ...errand }, withinMs)
  // A request that was taken may still run: then its room has to stay.
  if (reached.kind === 'failed') return reached
  const result = readResult(service, room)
  await runErrand(service, 'unmap-room', errand)
  if (!result) return { kind: 'failed', reason: 'bad-payload-output', detail: 'the code left no answer' }
  const method = reached.exchange.takenByQueue ? 'pending-call' : 'resting-thread'
  return { kind: 'ran', result, method, pauseMs: service.pauseMs }
}

function planRoom(service: Service, source: Buffer): Room | CaptureFailed {
  const place = findPlace(service)
  if ('kind' in place) return place
  const address = place.exchange + ROOM_OFFSET
  const dataBytes = roomBytes(source)
  const end = address + dataBytes + 4096
  const mappings = parseMaps(readFileSync(`${service.procRoot}/${service.id.pid}/maps`, 'latin1'))
  if (mappings.some((mapping) => mapping.start < end && address < mapping.end))
    return {
      kind: 'failed',
      reason: 'no-room',
      detail: 'an earlier run in this process has not ended',
      hint: 'what it runs holds its thread; wait until it returns',
    }
  return { address, dataBytes, codeBytes: 4096, entry: address + dataBytes + service.stub.live.entry }
}

/** One system call on the main thread, wherever it stands; the failure, if there is one. */
async function runErrand(
  service: Service,
  task: keyof typeof TASK,
  errand: Pick<Errand, 'innerPid' | 'room'>,
): Promise<CaptureFailed | undefined> {
  const place = findPlace(service)
  if ('kind' in place) return place
  const nothing = { alarmSeconds: 0, workspaceBytes: 0, codeBytes: 0, flags: 0, reap: 0, name: '' }
  const refused = await writeStub(service, place, { ...nothing, ...errand, task })
  if (refused) return refused
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const sent = await sendThread(service, place, standingOfMain(service))
    if (typeof sent !== 'boolean') return sent
    const exchange = sent
      ? await awaitExchange(service, place, ({ left }) => left, ERRAND_WITHIN_MS)
      : undefined
    if (exchange?.left) return exchange.answer < 0 ? refusedBy(-exchange.answer) : undefined
    await sleep(20)
  }
  return {
    kind: 'failed',
    reason: 'not-taken',
    detail: 'its main thread never stood where it may be interrupted',
  }
}

const refusedBy = (errno: number): CaptureFailed => ({
  kind: 'failed',
  reason: 'no-room',
  detail: `the process cannot map the memory that this needs (errno ${errno})`,
  hint: 'raise its RLIMIT_AS (LimitAS= in a unit)',
})

function readResult({ memory }: Service, { address }: Room): Buffer | undefined {
  const header = memory.read(address, 0x20)
  const size = Number(header.readBigInt64LE(LIVE.size))
  const most = Number(header.readBigUInt64LE(LIVE.result_bytes))
  if (size < 0 || size > most) return undefined
  return memory.read(Number(header.readBigUInt64LE(LIVE.result)), size)
}
