import type { Interpreter } from './interpreter.ts'
import { seccompFilter } from './seccomp-filter.ts'
import { STUB_FUNCTIONS } from './stub-functions.ts'

/** Offsets in the request block; src/stub/snapshot.h is the other half. */
export const FIELD = {
  state: 0x00,
  left: 0x04,
  child: 0x08,
  intermediate: 0x10,
  ready: 0x18,
  go: 0x1c,
  alarm_seconds: 0x20,
  flags: 0x24,
  clone_began: 0x28,
  clone_ended: 0x30,
  sandbox: 0x38,
  stage: 0x40,
  entered: 0x44,
  child_mask: 0x50,
  full_mask: 0x58,
  payload: 0x60,
  filter: 0x80,
  magic: 0x98,
  mallinfo2: 0x168,
  Py_True: 0x170,
  GIL_holder: 0x178,
} as const

const FUNCTIONS_AT = 0xa0
export const STATE = { armed: 0, taken: 1, done: 2 } as const
export const FLAG = { afterFork: 1, importLock: 2, ifGilIsFree: 4 } as const
/** Says that a mapping is ours and of this layout. */
export const MAGIC = Buffer.from('pyheap01', 'latin1')

const FILTER_AT = 0x400
const PAYLOAD_AT = 0x5000
const PAGE = 4096
const SIGALRM_AND_SIGTERM = (1n << 13n) | (1n << 14n)

export type BlockOptions = {
  readonly flags: number
  /** The snapshot ends itself after this long, whatever becomes of the daemon. */
  readonly alarmSeconds: number
  readonly payload: Buffer
}

/** How much memory the data mapping needs, in bytes. */
export const dataMappingBytes = (payload: Buffer): number =>
  Math.ceil((PAYLOAD_AT + payload.length + 1) / PAGE) * PAGE

/**
 * The data mapping's content for one request. The state word says `taken`, so that nothing can start it before the
 * daemon arms it; `entered` is left out of the write by the caller.
 */
export function encodeBlock(interpreter: Interpreter, base: number, options: BlockOptions): Buffer {
  const block = Buffer.alloc(dataMappingBytes(options.payload))
  const put = (offset: number, value: number | bigint): number =>
    block.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), offset)
  const filter = seccompFilter()
  block.writeUInt32LE(STATE.taken, FIELD.state)
  block.writeUInt32LE(1, FIELD.left)
  block.writeUInt32LE(options.alarmSeconds, FIELD.alarm_seconds)
  block.writeUInt32LE(options.flags, FIELD.flags)
  put(FIELD.child_mask, ~SIGALRM_AND_SIGTERM)
  put(FIELD.full_mask, -1)
  put(FIELD.payload, base + PAYLOAD_AT)
  put(FIELD.filter, filter.length / 8)
  put(FIELD.filter + 8, base + FILTER_AT)
  MAGIC.copy(block, FIELD.magic)
  STUB_FUNCTIONS.forEach(({ name }, index) =>
    put(FUNCTIONS_AT + 8 * index, interpreter.addresses.get(name) ?? 0),
  )
  filter.copy(block, FILTER_AT)
  options.payload.copy(block, PAYLOAD_AT)
  return block
}

/** What the stub has written back. */
export type BlockState = {
  readonly state: number
  readonly left: boolean
  /** Pid in the service's own pid namespace, 0 not yet, or -errno. */
  readonly child: number
  readonly intermediate: number
  readonly cloneMs: number
  readonly entered: number
  readonly ready: boolean
  readonly stage: number
}

export const BLOCK_STATE_BYTES = 0x48

export function decodeBlockState(block: Buffer): BlockState {
  const began = block.readBigUInt64LE(FIELD.clone_began)
  const ended = block.readBigUInt64LE(FIELD.clone_ended)
  return {
    state: block.readUInt32LE(FIELD.state),
    left: block.readUInt32LE(FIELD.left) === 1,
    child: Number(block.readBigInt64LE(FIELD.child)),
    intermediate: Number(block.readBigInt64LE(FIELD.intermediate)),
    cloneMs: ended > began ? Number(ended - began) / 1e6 : 0,
    entered: block.readUInt32LE(FIELD.entered),
    ready: block.readUInt32LE(FIELD.ready) === 1,
    stage: block.readUInt32LE(FIELD.stage),
  }
}
