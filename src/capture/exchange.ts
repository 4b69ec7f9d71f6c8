/** Offsets in struct exchange of src/stub/service.h: what the stub and the snapshot tell the daemon. */
export const EXCHANGE = {
  state: 0x00,
  left: 0x04,
  child: 0x08,
  intermediate: 0x10,
  ready: 0x18,
  go: 0x1c,
  clone_began: 0x20,
  clone_ended: 0x28,
  workspace: 0x30,
  code: 0x38,
  entered: 0x40,
  stage: 0x44,
  queued: 0x48,
  answer: 0x50,
  taken_by_queue: 0x60,
  own_child: 0x68,
  magic: 0x80,
} as const

export const STATE = { armed: 0, taken: 1, done: 2 } as const
/** Says that a mapping is ours and of this layout. */
export const MAGIC = Buffer.from('pyheap02', 'latin1')
/** One page, and the vector registers of an interrupted thread behind it: 11 KiB with all that x86-64 has today. */
export const EXCHANGE_BYTES = 5 * 4096
/** The part that is read and written; the fields up to `magic`. */
export const EXCHANGE_FIELDS_BYTES = 0x88

/** What Py_AddPendingCall answered: 0 or -1, NOT_STARTED instead, or NOT_ASKED before. */
export const NOT_STARTED = -2
export const NOT_ASKED = -3

export type Exchange = {
  readonly state: number
  /** The interrupted thread is back where it was. */
  readonly left: boolean
  /** Pid in the service's own pid namespace, 0 not yet, or -errno. */
  readonly child: number
  readonly intermediate: number
  readonly cloneMs: number
  readonly entered: number
  readonly ready: boolean
  readonly queued: number
  /** By a queued pending call, not by a thread that was sent. */
  readonly takenByQueue: boolean
  /** What the system call of an errand answered: 0 or more, or -errno. */
  readonly answer: number
  readonly isOurs: boolean
  /** Addresses in the snapshot; 0 in the service. */
  readonly workspace: number
  readonly code: number
}

export function decodeExchange(bytes: Buffer): Exchange {
  const began = bytes.readBigUInt64LE(EXCHANGE.clone_began)
  const ended = bytes.readBigUInt64LE(EXCHANGE.clone_ended)
  return {
    state: bytes.readUInt32LE(EXCHANGE.state),
    left: bytes.readUInt32LE(EXCHANGE.left) === 1,
    child: Number(bytes.readBigInt64LE(EXCHANGE.child)),
    intermediate: Number(bytes.readBigInt64LE(EXCHANGE.intermediate)),
    cloneMs: ended > began ? Number(ended - began) / 1e6 : 0,
    entered: bytes.readUInt32LE(EXCHANGE.entered),
    ready: bytes.readUInt32LE(EXCHANGE.ready) === 1,
    queued: Number(bytes.readBigInt64LE(EXCHANGE.queued)),
    takenByQueue: bytes.readUInt32LE(EXCHANGE.taken_by_queue) === 1,
    answer: Number(bytes.readBigInt64LE(EXCHANGE.answer)),
    isOurs: bytes.subarray(EXCHANGE.magic, EXCHANGE.magic + MAGIC.length).equals(MAGIC),
    workspace: Number(bytes.readBigUInt64LE(EXCHANGE.workspace)),
    code: Number(bytes.readBigUInt64LE(EXCHANGE.code)),
  }
}

/** A fresh request in an exchange that is mapped: nothing can start it before its state says `armed`. */
export function encodeFreshExchange(entered: number): Buffer {
  const bytes = Buffer.alloc(EXCHANGE_FIELDS_BYTES)
  bytes.writeUInt32LE(STATE.taken, EXCHANGE.state)
  bytes.writeUInt32LE(1, EXCHANGE.left)
  bytes.writeUInt32LE(entered, EXCHANGE.entered)
  bytes.writeBigInt64LE(BigInt(NOT_ASKED), EXCHANGE.queued)
  MAGIC.copy(bytes, EXCHANGE.magic)
  return bytes
}
