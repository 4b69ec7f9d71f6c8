import type { RestingThread } from './threads-at-rest.ts'

/**
 * What gdb is asked to do. Everything is raw addresses: no symbol is read while the service stands still. Nothing is
 * printed before `detach`, so that a reader that went away cannot kill gdb at a bad moment.
 */

const hex = (value: number): string => `0x${value.toString(16)}`

/** gdb's arguments: no start-up files, no symbols, no thread library, and every signal straight to the process. */
export const GDB_ARGUMENTS: readonly string[] = [
  '-nx',
  '-q',
  ...[
    'set prompt',
    'set confirm off',
    'set width 0',
    'set height 0',
    'set auto-solib-add off',
    'set sysroot /nonexistent/',
    'set libthread-db-search-path /nonexistent',
    'set auto-load off',
    'set debuginfod enabled off',
    'set exec-file-mismatch off',
    'set unwindonsignal on',
    'handle all nostop noprint pass',
    // A fault in one of our calls is taken back with the call; one of the service's own happens again when it runs on.
    'handle SIGSEGV SIGBUS SIGILL SIGFPE stop print nopass',
  ].flatMap((setting) => ['-iex', setting]),
]

/** gdb tests its own ptrace on first use, which takes 10 ms: on a process of ours, not on the service. */
export const warmUp = (pid: number): string[] => [`attach ${pid}`, 'detach']

/** Eight bytes that must be at an address; after exec the same address is something else, or nothing. */
export type Landmark = { readonly address: number; readonly value: bigint }

/** Commands that are only run while the landmark stands. */
const where = ({ address, value }: Landmark, commands: readonly string[]): string[] => [
  `if *(unsigned long*)${hex(address)} == 0x${value.toString(16)}`,
  ...commands,
  'end',
]

/** Two mappings in the service, never writable and executable at once: data, then code. Prints their addresses. */
export const mapMemory = (pid: number, mmap: Landmark, dataBytes: number): string[] => {
  const call = (bytes: number, protection: number): string =>
    `((long(*)(long,long,int,int,int,long))${hex(mmap.address)})(0,${bytes},${protection},0x22,-1,0)`
  return [
    'set $data = -1',
    'set $code = -1',
    `attach ${pid}`,
    ...where(mmap, [`set $data = ${call(dataBytes, 3)}`, `set $code = ${call(4096, 5)}`]),
    'detach',
    'printf "pyheap-mapped %ld %ld\\n", $data, $code',
  ]
}

/** What `queuePendingCall` needs to know, all addresses in the service. */
export type PendingCall = {
  readonly isInitialized: number
  readonly addPendingCall: Landmark
  readonly entry: number
  readonly request: number
}

/**
 * Asks the interpreter to call the stub at its next safe point. Prints 0, -1 when its queue is full, or -2 when Python is
 * loaded and not started, as in the parent of a mod_wsgi server: there Py_AddPendingCall would crash.
 */
export const queuePendingCall = (pid: number, call: PendingCall): string[] => [
  'set $queued = -2',
  `attach ${pid}`,
  ...where(call.addPendingCall, [
    `if ((int(*)(void))${hex(call.isInitialized)})()`,
    `set $queued = ((int(*)(long,long))${hex(call.addPendingCall.address)})(${hex(call.entry)},${hex(call.request)})`,
    'end',
  ]),
  'detach',
  'printf "pyheap-queued %d\\n", $queued',
]

/**
 * Sends a resting thread through the stub by writing one register, if it is still exactly where it was seen. Prints
 * 1, or 0 when it had moved.
 */
export const redirectThread = (pid: number, thread: RestingThread): string[] => [
  'set $redirected = 0',
  `attach ${pid}`,
  thread.tid === pid ? 'pyheap_redirect' : 'thread apply all -q -s pyheap_redirect',
  'detach',
  'printf "pyheap-redirected %d\\n", $redirected',
]

/** The command that `redirectThread` uses. It has to be defined before, at top level. */
export const defineRedirect = (thread: RestingThread, entry: Landmark, left: number): string[] => {
  const isThere = [
    `(long)$orig_rax == ${thread.nr}`,
    `(unsigned long)$rsp == ${thread.sp}`,
    `(unsigned long)$rip == ${thread.pc}`,
    `(unsigned long)$rdi == ${thread.args[0] ?? '0'}`,
    // -ERESTART…, or -EINTR: the call was interrupted by the stop and nothing else.
    '((long)$rax == -512 || (long)$rax == -513 || (long)$rax == -514 || (long)$rax == -516 || (long)$rax == -4)',
  ].join(' && ')
  return [
    'define pyheap_redirect',
    `if ${isThere}`,
    ...where(entry, [
      `set *(int*)${hex(left)} = 0`,
      `set $rip = ${hex(entry.address)}`,
      'set $redirected = 1',
    ]),
    'end',
    'end',
  ]
}

/** Takes a dead snapshot off the list of a service that is its own init. */
export const reapChild = (pid: number, waitpid: Landmark, child: number): string[] => [
  'set $reaped = -1',
  `attach ${pid}`,
  ...where(waitpid, [`set $reaped = ((int(*)(int,long,int))${hex(waitpid.address)})(${child},0,0x40000001)`]),
  'detach',
  'printf "pyheap-reaped %d\\n", $reaped',
]

export type GdbFailure = 'gone' | 'not-permitted' | 'already-traced' | 'gdb-failed'

/** Why gdb could not do it, from what it said. */
export function explainGdb(output: string): GdbFailure {
  if (/No such process|No such file/.test(output)) return 'gone'
  if (/already traced/.test(output)) return 'already-traced'
  if (/Operation not permitted|Could not attach/.test(output)) return 'not-permitted'
  return 'gdb-failed'
}
