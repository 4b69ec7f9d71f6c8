import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Interpreter } from './interpreter.ts'
import { readOrNothing } from './read-or-nothing.ts'

/** A thread that waits in a system call and holds no lock that the stub could need. */
export type RestingThread = {
  readonly tid: number
  /** As /proc/PID/task/TID/syscall gives them: system call number, arguments, stack and program counter. */
  readonly nr: number
  readonly args: readonly string[]
  readonly sp: string
  readonly pc: string
}

/**
 * Calls in which a thread may stay for long and holds neither malloc's nor the loader's locks: read, write, open, poll,
 * select, nanosleep, pause, connect, accept, sendto, recvfrom, sendmsg, recvmsg, wait4, semop, msgrcv, fcntl, flock,
 * rt_sigtimedwait, io_getevents, restart_syscall, semtimedop, clock_nanosleep, epoll_wait, mq_timedreceive, waitid,
 * openat, pselect6, ppoll, epoll_pwait, accept4, recvmmsg, epoll_pwait2. x86-64 numbers.
 */
const RESTFUL = new Set([
  0, 1, 2, 7, 23, 34, 35, 42, 43, 44, 45, 46, 47, 61, 65, 70, 72, 73, 128, 208, 219, 220, 230, 232, 243, 247,
  257, 270, 271, 281, 288, 299, 441,
])
const FUTEX = 202
/** Semaphores and condition variables; plain FUTEX_WAIT is a mutex, perhaps malloc's. */
const FUTEX_WAIT_BITSET = 9
const FUTEX_WAIT = 0
/** musl's semaphores wait so, for one of these values: that of 1.2.3 and before, and the newer one. Its locks never do. */
const MUSL_SEMAPHORE = new Set([0xffffffffn, 0x80000000n])
/** Nothing changes for this long in a thread that is said to rest. */
const REST_MS = 30

/** Threads of the process, the main thread first. */
export function listThreads(procRoot: string, pid: number): number[] {
  const tids = readdirSync(`${procRoot}/${pid}/task`).map(Number)
  return [pid, ...tids.filter((tid) => tid !== pid)]
}

/** Whether a system call, as /proc shows it, is one that a thread may be sent out of and back. Pure. */
export function isRestful(thread: RestingThread, ranges: Interpreter['ranges']): boolean {
  if (RESTFUL.has(thread.nr)) return true
  if (thread.nr !== FUTEX) return false
  const [word = '0', operation = '0', value = '0'] = thread.args
  const address = Number(word)
  // A waiter of the GIL's own condition variable must not be disturbed: glibc would wait for it for ever.
  const isGil = ranges.some(({ start, end }) => start <= address && address < end)
  const wait = Number(BigInt(operation) & 0x7fn)
  const isSemaphore = wait === FUTEX_WAIT && MUSL_SEMAPHORE.has(BigInt(value) & 0xffffffffn)
  return (wait === FUTEX_WAIT_BITSET || isSemaphore) && !isGil
}

/** The first of `tids` that rests, looked at twice; undefined when none does. */
export async function findRestingThread(
  procRoot: string,
  pid: number,
  tids: readonly number[],
  ranges: Interpreter['ranges'],
): Promise<RestingThread | undefined> {
  const before = new Map(tids.map((tid) => [tid, look(procRoot, pid, tid, ranges)]))
  if ([...before.values()].every((seen) => seen === undefined)) return undefined
  await sleep(REST_MS)
  for (const [tid, seen] of before) {
    const again = seen && look(procRoot, pid, tid, ranges)
    if (again && again.fingerprint === seen.fingerprint) return again.thread
  }
  return undefined
}

/** Whether every thread but `except` waits in a restful call at this moment. */
export function areOthersAtRest(
  procRoot: string,
  pid: number,
  except: number,
  ranges: Interpreter['ranges'],
): boolean {
  return listThreads(procRoot, pid).every(
    (tid) => tid === except || look(procRoot, pid, tid, ranges) !== undefined,
  )
}

type Look = { readonly thread: RestingThread; readonly fingerprint: string }

function look(procRoot: string, pid: number, tid: number, ranges: Interpreter['ranges']): Look | undefined {
  const task = `${procRoot}/${pid}/task/${tid}`
  const call = readOrNothing(`${task}/syscall`).trim()
  const thread = parseSyscall(tid, call)
  if (!thread || !isRestful(thread, ranges)) return undefined
  const switches = /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readOrNothing(`${task}/status`))?.[1]
  return { thread, fingerprint: `${call} ${switches}` }
}

/** `7 0x1 … 0x6 SP PC`; `running` and `-1 SP PC` (stopped outside a call) are no rest. */
export function parseSyscall(tid: number, text: string): RestingThread | undefined {
  const fields = text.split(' ')
  if (fields.length !== 9) return undefined
  const [nr = '', ...rest] = fields
  return { tid, nr: Number(nr), args: rest.slice(0, 6), sp: rest[6] ?? '0', pc: rest[7] ?? '0' }
}
