import { readFileSync } from 'node:fs'
import { type Mapping, parseMaps } from '../proc/maps.ts'
import type { Service } from './service.ts'
import { type RestingThread, areOthersAtRest } from './threads-at-rest.ts'

/** The stack is looked at this far up for who called the C library. */
const STACK_BYTES = 2048
/** So many callers in a row have to be Python's own: a stack also holds addresses of calls that are over. */
const CALLERS = 3
/** The longest call instruction. */
const CALL_BYTES = 7
const C_LIBRARY = /\/(libc|libpthread|ld-linux|ld-musl|libc\.musl)[-.][^/]*$/

export type RedirectVerdict = 'safe' | 'if-gil-is-free' | 'unsafe'

/**
 * Whether a resting thread may be made to take the GIL. It will wait for it, so it must hold nothing that the GIL's
 * holder could be waiting for: either nobody else does anything, or the thread waits in Python's own code, which holds
 * no native lock while it does. A native library that sleeps may hold any lock of its own; up to 3.11 the interpreter
 * tells whether the GIL is free, and then the thread need not wait.
 */
export function judgeRedirect(service: Service, thread: RestingThread): RedirectVerdict {
  const { procRoot, id, interpreter } = service
  if (areOthersAtRest(procRoot, id.pid, thread.tid, interpreter.ranges)) return 'safe'
  const mappings = parseMaps(readFileSync(`${procRoot}/${id.pid}/maps`, 'latin1'))
  const sp = Number(thread.sp)
  const top = mappings.find(({ start, end }) => start <= sp && sp < end)?.end ?? sp
  const stack = service.memory.read(sp, Math.min(STACK_BYTES, top - sp))
  const callers = findCallers(stack, mappings, (address) =>
    service.memory.read(address - CALL_BYTES, CALL_BYTES),
  )
  const isPythons = (path: string): boolean => path === interpreter.path || path.includes('/lib-dynload/')
  if (callers.length === CALLERS && callers.every(isPythons)) return 'safe'
  const canTell = interpreter.minor <= 11 && interpreter.addresses.has('_PyThreadState_UncheckedGet')
  return canTell ? 'if-gil-is-free' : 'unsafe'
}

/**
 * The files of the first return addresses on a stack that are not the C library's own. A word is one when it points
 * behind a call; a number or a function pointer that happens to lie in code is none. Pure but for `readBefore`.
 */
export function findCallers(
  stack: Buffer,
  mappings: readonly Mapping[],
  readBefore: (address: number) => Buffer,
): string[] {
  const code = mappings.filter(({ permissions, path }) => permissions.includes('x') && path.startsWith('/'))
  const callers: string[] = []
  for (let at = 0; at + 8 <= stack.length && callers.length < CALLERS; at += 8) {
    const word = Number(stack.readBigUInt64LE(at))
    const mapping = code.find(({ start, end }) => start + CALL_BYTES <= word && word < end)
    if (mapping && !C_LIBRARY.test(mapping.path) && endsInCall(readBefore(word))) callers.push(mapping.path)
  }
  return callers
}

/** Whether x86-64 code ends in a call: E8 with a 32-bit distance, or FF /2 in its lengths of 2, 3, 4, 6 and 7 bytes. */
function endsInCall(code: Buffer): boolean {
  const byte = (fromEnd: number): number => code[code.length - fromEnd] ?? 0
  return (
    byte(5) === 0xe8 ||
    [2, 3, 4, 6, 7].some((length) => byte(length) === 0xff && (byte(length - 1) & 0x38) === 0x10)
  )
}
