import type { Interpreter } from './interpreter.ts'
import { SERVICE_FUNCTIONS } from './stub-functions.ts'

/** Offsets in struct inputs of src/stub/service.h, which lies behind the stub's code in the service. */
export const INPUT = {
  return_to: 0x00,
  restarts: 0x08,
  exchange: 0x10,
  exchange_bytes: 0x18,
  task: 0x20,
  flags: 0x24,
  pid: 0x28,
  alarm_seconds: 0x2c,
  workspace_bytes: 0x30,
  code_bytes: 0x38,
  reap: 0x40,
  pending_entry: 0x48,
  Py_IsInitialized: 0x50,
  PyGILState_Ensure: 0x58,
  PyGILState_Release: 0x60,
  GIL_holder: 0x68,
  Py_AddPendingCall: 0x70,
  name: 0x78,
  live: 0x88,
  room: 0x90,
  room_data_bytes: 0x98,
  room_code_bytes: 0xa0,
} as const

export const INPUT_BYTES = 0xa8
export const TASK = { 'safe-point': 0, queue: 1, reap: 2, 'map-room': 3, 'unmap-room': 4 } as const
export const INPUT_FLAG = { ifGilIsFree: 1, ownChild: 2 } as const

export type Inputs = {
  readonly exchange: number
  /** 0 where it is mapped already. */
  readonly exchangeBytes: number
  readonly task: keyof typeof TASK
  readonly flags: number
  /** The service's pid in its own namespace. */
  readonly innerPid: number
  /** The snapshot ends itself after this long, whatever becomes of the daemon. */
  readonly alarmSeconds: number
  readonly workspaceBytes: number
  readonly codeBytes: number
  readonly reap: number
  readonly pendingEntry: number
  /** What the snapshot calls itself, at most 15 bytes. */
  readonly name: string
  /** Memory for code of the live engine, and the address to call there; without it the service is to clone itself. */
  readonly room?: Room | undefined
}

export type Room = {
  readonly address: number
  readonly dataBytes: number
  readonly codeBytes: number
  readonly entry: number
}

/** The bytes that the stub reads; where the thread stood is filled in by gdb. */
export function encodeInputs(inputs: Inputs, { addresses }: Pick<Interpreter, 'addresses'>): Buffer {
  const bytes = Buffer.alloc(INPUT_BYTES)
  const put = (offset: number, value: number): number => bytes.writeBigUInt64LE(BigInt(value), offset)
  put(INPUT.exchange, inputs.exchange)
  put(INPUT.exchange_bytes, inputs.exchangeBytes)
  bytes.writeUInt32LE(TASK[inputs.task], INPUT.task)
  bytes.writeUInt32LE(inputs.flags, INPUT.flags)
  bytes.writeUInt32LE(inputs.innerPid, INPUT.pid)
  bytes.writeUInt32LE(inputs.alarmSeconds, INPUT.alarm_seconds)
  put(INPUT.workspace_bytes, inputs.workspaceBytes)
  put(INPUT.code_bytes, inputs.codeBytes)
  put(INPUT.reap, inputs.reap)
  put(INPUT.pending_entry, inputs.pendingEntry)
  put(INPUT.live, inputs.room?.entry ?? 0)
  put(INPUT.room, inputs.room?.address ?? 0)
  put(INPUT.room_data_bytes, inputs.room?.dataBytes ?? 0)
  put(INPUT.room_code_bytes, inputs.room?.codeBytes ?? 0)
  bytes.write(inputs.name, INPUT.name, 15, 'latin1')
  SERVICE_FUNCTIONS.forEach(({ name }, index) =>
    put(INPUT.Py_IsInitialized + 8 * index, addresses.get(name) ?? 0),
  )
  return bytes
}
