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

/** Where a thread has to stand so that it may be interrupted there. */
export type Standing =
  /** Still exactly where it was seen to rest. */
  | { readonly kind: 'resting'; readonly thread: RestingThread }
  /** Anywhere on the main thread's own stack, but in none of these. */
  | { readonly kind: 'anywhere'; readonly stack: Range; readonly butNotIn: readonly Range[] }
export type Range = { readonly start: number; readonly end: number }

/** Addresses of the stub in the service. `left` is 0 as long as there is no exchange. */
export type StubPlace = {
  readonly entry: Landmark
  readonly returnTo: number
  readonly restarts: number
  readonly left: number
  /** Where four bytes are the token as long as the stub is ours to use. */
  readonly lease: { readonly address: number; readonly token: number }
}

/** -ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND and -ERESTART_RESTARTBLOCK: the kernel will restart the call. */
const WILL_RESTART = `(${[512, 513, 514, 516].map((code) => `(long)$rax == -${code}`).join(' || ')})`

/**
 * Sends one thread through the stub by writing one register, if it stands where it should. Nothing is called while
 * gdb holds the process, so gdb may die at any moment. Prints 1, or 0 when the thread stood elsewhere.
 */
export const interrupt = (pid: number, tid: number): string[] => [
  'set $entered = 0',
  `attach ${pid}`,
  tid === pid ? 'pyheap_interrupt' : 'thread apply all -q -s pyheap_interrupt',
  'detach',
  'printf "pyheap-entered %d\\n", $entered',
]

/** The command that `interrupt` uses. It has to be defined before, at top level. */
export const defineInterrupt = (standing: Standing, stub: StubPlace): string[] => [
  'define pyheap_interrupt',
  `if ${conditionOf(standing)}${nobodyIsIn(stub)}${isOurs(stub)}`,
  ...where(stub.entry, [
    `set *(unsigned long*)${hex(stub.returnTo)} = (unsigned long)$rip`,
    `set *(unsigned long*)${hex(stub.restarts)} = (long)$orig_rax >= 0 && ${WILL_RESTART}`,
    ...(stub.left === 0 ? [] : [`set *(int*)${hex(stub.left)} = 0`]),
    `set $rip = ${hex(stub.entry.address)}`,
    'set $entered = 1',
  ]),
  'end',
  'end',
]

/** Looked at while all threads stand still: two in the stub at once would mix up where they go back to. */
const nobodyIsIn = ({ left }: StubPlace): string => (left === 0 ? '' : ` && *(int*)${hex(left)} == 1`)

const isOurs = ({ lease }: StubPlace): string => ` && *(unsigned int*)${hex(lease.address)} == ${lease.token}`

function conditionOf(standing: Standing): string {
  if (standing.kind === 'anywhere') {
    const { stack, butNotIn } = standing
    const inside = (register: string, { start, end }: Range): string =>
      `((unsigned long)$${register} > ${hex(start)} && (unsigned long)$${register} <= ${hex(end)})`
    return [inside('rsp', stack), ...butNotIn.map((range) => `!${inside('rip', range)}`)].join(' && ')
  }
  const { nr, sp, pc, args } = standing.thread
  return [
    `(long)$orig_rax == ${nr}`,
    `(unsigned long)$rsp == ${sp}`,
    `(unsigned long)$rip == ${pc}`,
    `(unsigned long)$rdi == ${args[0] ?? '0'}`,
    // Or -EINTR: the call was interrupted by the stop and nothing else.
    `(${WILL_RESTART} || (long)$rax == -4)`,
  ].join(' && ')
}

export type GdbFailure = 'gone' | 'not-permitted' | 'already-traced' | 'gdb-failed'

/** Why gdb could not do it, from what it said. */
export function explainGdb(output: string): GdbFailure {
  if (/No such process|No such file|program terminated with signal/.test(output)) return 'gone'
  if (/already traced/.test(output)) return 'already-traced'
  if (/Operation not permitted|Could not attach/.test(output)) return 'not-permitted'
  return 'gdb-failed'
}
