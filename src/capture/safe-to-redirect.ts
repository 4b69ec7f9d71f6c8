import { readFileSync } from 'node:fs'
import { type Mapping, parseMaps } from '../proc/maps.ts'
import type { Service } from './service.ts'
import { type RestingThread, areOthersAtRest } from './threads-at-rest.ts'

/** The stack is looked at this far up for who called the C library. */
const STACK_BYTES = 2048
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
  const caller = findCaller(stack, mappings)
  if (caller === interpreter.path || caller?.includes('/lib-dynload/') === true) return 'safe'
  const canTell = interpreter.minor <= 11 && interpreter.addresses.has('_PyThreadState_UncheckedGet')
  return canTell ? 'if-gil-is-free' : 'unsafe'
}

/** The file of the first code address on a stack that is not the C library's own. Pure. */
export function findCaller(stack: Buffer, mappings: readonly Mapping[]): string | undefined {
  const code = mappings.filter(({ permissions, path }) => permissions.includes('x') && path.startsWith('/'))
  for (let at = 0; at + 8 <= stack.length; at += 8) {
    const word = Number(stack.readBigUInt64LE(at))
    const mapping = code.find(({ start, end }) => start <= word && word < end)
    if (mapping && !C_LIBRARY.test(mapping.path)) return mapping.path
  }
  return undefined
}
