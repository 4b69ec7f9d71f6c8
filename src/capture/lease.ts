import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed, ProcessId } from '../model.ts'
import { type CodeSlack, findCodeSlack } from './code-slack.ts'
import { INPUT_BYTES } from './inputs.ts'
import type { ProcessMemory } from './process-memory.ts'
import type { Stub } from './stub-file.ts'

/**
 * The right to use the stub in a service. Daemons of one host exclude each other by a lock in their run directory; those
 * that share none, as in containers, do it here: by one word in the service itself, behind the stub, that says who and
 * until when. It is renewed while it is held, ends by itself when its holder dies, and is looked at once more by gdb
 * before it sends a thread into the stub.
 */
export type Lease = {
  /** Where the stub's code lies. */
  readonly code: number
  /** The stub was there before: the process has not called exec since. */
  readonly isKnown: boolean
  /** The address of four bytes that are `token` while the lease is ours. */
  readonly address: number
  readonly token: number
  readonly release: () => void
}

const LEASE_MS = 15_000
const RENEW_MS = 5_000
/** Longer than another takes from finding the word free to writing it: the last writer holds the lease. */
const SETTLE_MS = 20
const TOKEN_BYTES = 4
const LEASE_BYTES = 8

type Site = {
  readonly procRoot: string
  readonly id: ProcessId
  readonly memory: ProcessMemory
  readonly stub: Stub
}

/**
 * Takes the lease, and puts the stub's code in its place, which nothing runs yet. Waits as long as told for another
 * daemon; `former` is the token of an earlier capture of ours, which a crash may have left.
 */
export async function takeLease(
  site: Site,
  former: number | undefined,
  withinMs: number,
): Promise<Lease | CaptureFailed> {
  const { memory, stub } = site
  const code = findPlaceForCode(site)
  if (code === undefined)
    return {
      kind: 'failed',
      reason: 'no-room',
      detail: 'none of its libraries has 2 KiB left behind its code',
    }
  const address = code + stub.service.inputs + INPUT_BYTES
  const token = randomInt(1, 2 ** 32)
  for (const end = performance.now() + withinMs; ; await sleep(SETTLE_MS)) {
    const present = readHolder(memory, address)
    const isKnown = holdsStub(site, code)
    if (!isKnown || present.token === former || !present.isValid) {
      memory.write(code, stub.service.code)
      write(memory, address, token)
      await sleep(SETTLE_MS)
      if (readHolder(memory, address).token === token) return hold(memory, { code, isKnown, address, token })
    }
    if (performance.now() >= end) return busy
  }
}

const busy: CaptureFailed = {
  kind: 'failed',
  reason: 'busy',
  detail: 'another daemon, with a run directory of its own, is capturing it',
  hint: 'try again when it is done',
}

function hold(memory: ProcessMemory, lease: Omit<Lease, 'release'>): Lease {
  const { address, token } = lease
  /** Does nothing where the lease is lost, and where the process is gone. */
  const ifOurs = (act: () => void): void => {
    try {
      if (readHolder(memory, address).token === token) act()
    } catch {
      clearInterval(timer)
    }
  }
  const timer = setInterval(() => ifOurs(() => write(memory, address, token)), RENEW_MS).unref()
  const release = (): void => {
    clearInterval(timer)
    ifOurs(() => memory.write(address, Buffer.alloc(LEASE_BYTES)))
  }
  return { ...lease, release }
}

/** On the monotonic clock, which all of a host share, in tenths of a second. */
const now = (): number => Number(process.hrtime.bigint() / 100_000_000n)

function readHolder(memory: ProcessMemory, address: number): { token: number; isValid: boolean } {
  const word = memory.read(address, LEASE_BYTES)
  const left = word.readUInt32LE(TOKEN_BYTES) - now()
  return { token: word.readUInt32LE(0), isValid: left > 0 && left <= LEASE_MS / 100 }
}

function write(memory: ProcessMemory, address: number, token: number): void {
  const word = Buffer.alloc(LEASE_BYTES)
  word.writeUInt32LE(token, 0)
  word.writeUInt32LE(now() + LEASE_MS / 100, TOKEN_BYTES)
  memory.write(address, word)
}

/** Not where the stub of another version stands: a call that it has queued may still come. */
function findPlaceForCode(site: Site): number | undefined {
  const { procRoot, id, memory, stub } = site
  const isUsable = ({ address, original }: CodeSlack): boolean => {
    const code = original.subarray(0, stub.service.code.length)
    return holdsStub(site, address) || memory.read(address, code.length).equals(code)
  }
  return findCodeSlack(procRoot, id.pid, stub.service.inputs + INPUT_BYTES + LEASE_BYTES, isUsable)
}

const holdsStub = ({ memory, stub }: Site, address: number): boolean =>
  memory.read(address, stub.service.code.length).equals(stub.service.code)
