import type { Interpreter } from './interpreter.ts'

/** Offsets in struct live of src/stub/live.c, at the start of the room that code of the live engine works in. */
export const LIVE = {
  source: 0x00,
  result: 0x08,
  result_bytes: 0x10,
  size: 0x18,
  PyImport_GetModuleDict: 0x20,
} as const

/** What that code calls, in the order of struct live. */
export const LIVE_FUNCTIONS = [
  'PyImport_GetModuleDict',
  'PyDict_GetItemString',
  'PyDict_SetItemString',
  'PyDict_New',
  'PyRun_String',
  'PyErr_Fetch',
  'PyErr_Restore',
  'PyErr_Clear',
  'PyBytes_AsString',
  'PyBytes_Size',
  'Py_DecRef',
] as const

const PAGE = 4096
const SOURCE_AT = 0x100
/** How much the source may answer. */
const RESULT_BYTES = 2 * 2 ** 20

const resultAt = (source: Buffer): number => Math.ceil((SOURCE_AT + source.length + 1) / PAGE) * PAGE

/** How much memory a room needs for a source without NUL, in bytes. */
export const roomBytes = (source: Buffer): number => resultAt(source) + RESULT_BYTES

/** The room's content, for a room that lies at `base`. */
export function encodeRoom(
  source: Buffer,
  base: number,
  { addresses }: Pick<Interpreter, 'addresses'>,
): Buffer {
  const bytes = Buffer.alloc(resultAt(source))
  const put = (offset: number, value: number): number => bytes.writeBigUInt64LE(BigInt(value), offset)
  put(LIVE.source, base + SOURCE_AT)
  put(LIVE.result, base + resultAt(source))
  put(LIVE.result_bytes, RESULT_BYTES)
  LIVE_FUNCTIONS.forEach((name, index) =>
    put(LIVE.PyImport_GetModuleDict + 8 * index, addresses.get(name) ?? 0),
  )
  source.copy(bytes, SOURCE_AT)
  return bytes
}
