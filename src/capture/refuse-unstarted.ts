import type { CaptureFailed } from '../model.ts'
import type { Interpreter } from './interpreter.ts'
import type { ProcessMemory } from './process-memory.ts'

/** PyTypeObject.tp_flags, on 64 bits in every version, and the flag that its preparation sets: Py_TPFLAGS_READY. */
const TYPE_FLAGS_AT = 168
const READY = 1n << 12n

/**
 * Why no function of the interpreter may be called yet, if that is so: the loader may still be at work on its library,
 * or the program has loaded Python and not started it. Then its types have not been prepared.
 */
export function refuseUnstarted(
  memory: ProcessMemory,
  { addresses }: Pick<Interpreter, 'addresses'>,
): CaptureFailed | undefined {
  const dict = addresses.get('PyDict_Type') ?? 0
  if ((memory.read(dict + TYPE_FLAGS_AT, 8).readBigUInt64LE() & READY) !== 0n) return undefined
  return {
    kind: 'failed',
    reason: 'not-python',
    detail: 'it has loaded Python and not started it',
    hint: 'it may be just starting; of a server like mod_wsgi capture a child, where the interpreter runs',
  }
}
