import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed } from '../model.ts'
import { parseMaps } from '../proc/maps.ts'
import {
  EXCHANGE,
  EXCHANGE_BYTES,
  EXCHANGE_FIELDS_BYTES,
  type Exchange,
  MAGIC,
  decodeExchange,
  encodeFreshExchange,
} from './exchange.ts'
import { findFreeAddress } from './free-address.ts'
import { type Standing, defineInterrupt, interrupt } from './gdb-commands.ts'
import { INPUT, type Inputs, encodeInputs } from './inputs.ts'
import { AddressSpaceGone } from './process-memory.ts'
import { type Service, stopAndRun } from './service.ts'

/** Where the stub and its exchange lie in the service. */
export type Place = { readonly code: number; readonly exchange: number }

/** What is asked of an interrupted thread, besides the place. */
export type Errand = Omit<Inputs, 'exchange' | 'exchangeBytes' | 'pendingEntry'>

/** The place of an earlier capture, or a new one. Nothing in the service is touched. */
export function findPlace(service: Service): Place | CaptureFailed {
  const { procRoot, id, record, lease } = service
  const { code } = lease
  const { exchange } = record
  const isKnown = lease.isKnown && record.code === code
  if (isKnown && exchange !== undefined && isMapped(service, exchange)) return { exchange, code }
  const free =
    exchangeOfStub(service, code) ??
    findFreeAddress(parseMaps(readFileSync(`${procRoot}/${id.pid}/maps`, 'latin1')))
  if (free === undefined)
    return { kind: 'failed', reason: 'no-room', detail: 'its address space has no gap left' }
  const place = { code, exchange: free }
  service.record = { ...record, ...place, queued: 0 }
  return place
}

/**
 * Where the exchange of a stub lies that stands in the service already, by another daemon's doing or by one whose records
 * are gone: it must be shared, for it says whether a thread is in the stub.
 */
function exchangeOfStub(service: Service, code: number): number | undefined {
  const { memory, stub } = service
  const exchange = Number(memory.read(code + stub.service.inputs + INPUT.exchange, 8).readBigUInt64LE())
  return readExchange(service, { exchange })?.isOurs ? exchange : undefined
}

const isMapped = (service: Service, exchange: number): boolean =>
  readExchange(service, { exchange }) !== undefined

/** What the stub has written so far; undefined as long as it has not run. */
export function readExchange(
  { memory }: Service,
  { exchange }: Pick<Place, 'exchange'>,
): Exchange | undefined {
  try {
    return decodeExchange(memory.read(exchange, EXCHANGE_FIELDS_BYTES))
  } catch (error) {
    if (error instanceof AddressSpaceGone) return undefined
    throw error
  }
}

/** A thread that has done its errand is back in no time, unless the machine is very busy. */
const BACK_WITHIN_MS = 1000

/** Puts what is asked of the stub into the service, once no thread is in it any more. */
export async function writeStub(
  service: Service,
  place: Place,
  errand: Errand,
): Promise<CaptureFailed | undefined> {
  const { memory, stub, interpreter } = service
  const before = readExchange(service, place) && (await awaitBack(service, place))
  if (before && !before.left)
    return {
      kind: 'failed',
      reason: 'not-taken',
      detail: 'an earlier request is still on its way through a thread of the process',
      hint: 'wait until its interpreter runs Python code again',
    }
  if (before) memory.write(place.exchange, encodeFreshExchange(before.entered))
  const inputs = encodeInputs(
    {
      ...errand,
      exchange: place.exchange,
      exchangeBytes: before ? 0 : EXCHANGE_BYTES,
      pendingEntry: place.code + stub.service.pendingEntry,
    },
    interpreter,
  )
  // Not where a thread goes back to: one that was sent and has not yet come to run would not find it any more.
  memory.write(place.code + stub.service.inputs + INPUT.exchange, inputs.subarray(INPUT.exchange))
  return undefined
}

const awaitBack = (service: Service, place: Place): Promise<Exchange | undefined> =>
  awaitExchange(service, place, ({ left }) => left, BACK_WITHIN_MS)

/** Sends a thread on an errand, if it stands where it should and no other is still out. True once it is on its way. */
export async function sendThread(
  service: Service,
  place: Place,
  standing: Standing,
): Promise<boolean | CaptureFailed> {
  const { id, stub, memory, gdb, lease } = service
  const address = place.code + stub.service.interruptEntry
  const inputs = place.code + stub.service.inputs
  const isReady = isMapped(service, place.exchange)
  if (isReady && !(await awaitExchange(service, place, ({ left }) => left, BACK_WITHIN_MS))?.left)
    return false
  const definition = defineInterrupt(standing, {
    entry: { address, value: memory.read(address, 8).readBigUInt64LE() },
    returnTo: inputs + INPUT.return_to,
    restarts: inputs + INPUT.restarts,
    left: isReady ? place.exchange + EXCHANGE.left : 0,
    lease,
  })
  gdb.define(definition)
  const tid = standing.kind === 'resting' ? standing.thread.tid : id.pid
  const output = await stopAndRun(service, interrupt(id.pid, tid))
  return typeof output === 'string' ? /^pyheap-entered 1$/m.test(output) : output
}

/** Polls the exchange until it says what is wanted, or for so long; what it said last, or undefined without one. */
export async function awaitExchange(
  service: Service,
  place: Place,
  isWanted: (exchange: Exchange) => boolean,
  withinMs: number,
): Promise<Exchange | undefined> {
  const end = performance.now() + withinMs
  for (;;) {
    const exchange = readExchange(service, place)
    if (exchange && !exchange.isOurs) adopt(service, place)
    if (performance.now() >= end || (exchange && isWanted(exchange))) return exchange
    await sleep(1)
  }
}

/** Marks a mapping that the stub has just made, so that it is made only once. */
function adopt({ memory, stub }: Service, place: Place): void {
  memory.write(place.exchange + EXCHANGE.magic, MAGIC)
  memory.write(place.code + stub.service.inputs + INPUT.exchange_bytes, Buffer.alloc(8))
}
