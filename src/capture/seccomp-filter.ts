/**
 * What the snapshot may still ask of the kernel: memory, time, its own descriptors and signals, exit. Numbers are
 * x86-64's. Everything else answers EPERM, so that a finalizer or a fork handler of the service harms nobody.
 */
const ALLOWED: Readonly<Record<string, number>> = {
  read: 0,
  write: 1,
  close: 3,
  fstat: 5,
  poll: 7,
  lseek: 8,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  brk: 12,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  rt_sigreturn: 15,
  select: 23,
  sched_yield: 24,
  mremap: 25,
  madvise: 28,
  nanosleep: 35,
  setitimer: 38,
  getpid: 39,
  exit: 60,
  gettimeofday: 96,
  getuid: 102,
  getgid: 104,
  geteuid: 107,
  getegid: 108,
  getppid: 110,
  sigaltstack: 131,
  gettid: 186,
  futex: 202,
  clock_gettime: 228,
  clock_getres: 229,
  clock_nanosleep: 230,
  exit_group: 231,
  set_robust_list: 273,
  getrandom: 318,
  rseq: 334,
}

/**
 * Code of an operator may read files as well, to import what it brings along. Where it would write one, the kernel says
 * EPERM: openat is allowed for reading alone, see below.
 */
const FOR_READING: Readonly<Record<string, number>> = {
  stat: 4,
  lstat: 6,
  pread64: 17,
  access: 21,
  dup: 32,
  getcwd: 79,
  readlink: 89,
  fcntl: 72,
  getdents64: 217,
  newfstatat: 262,
  readlinkat: 267,
  statx: 332,
}
const OPENAT = 257

const AUDIT_ARCH_X86_64 = 0xc000003e
const LOAD_WORD = 0x20
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_ANY_BIT = 0x45
const RETURN = 0x06
/** Offset of the low half of a system call's third argument in struct seccomp_data. */
const THIRD_ARGUMENT = 32
/** O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, and the bit that makes O_TMPFILE more than O_DIRECTORY. */
const WRITING_FLAGS = 0x1 | 0x2 | 0x40 | 0x200 | 0x400 | 0x400000
const ALLOW = 0x7fff0000
const REFUSE_WITH_EPERM = 0x00050001

/** What runs in a snapshot: our census, or code of an operator. */
export type Sandbox = 'census' | 'reading-files'

/** The allow list as a classic BPF program: 8 bytes an instruction, for struct sock_fprog. */
export function seccompFilter(sandbox: Sandbox): Buffer {
  const isReading = sandbox === 'reading-files'
  const numbers = Object.values(isReading ? { ...ALLOWED, ...FOR_READING } : ALLOWED)
  const count = numbers.length
  const opening = isReading
    ? [
        instruction(JUMP_IF_EQUAL, OPENAT, 0, 2),
        instruction(LOAD_WORD, THIRD_ARGUMENT),
        instruction(JUMP_IF_ANY_BIT, WRITING_FLAGS, 0, 1),
      ]
    : []
  return Buffer.concat([
    instruction(LOAD_WORD, 4),
    instruction(JUMP_IF_EQUAL, AUDIT_ARCH_X86_64, 0, count + opening.length + 1),
    instruction(LOAD_WORD, 0),
    ...numbers.map((number, index) => instruction(JUMP_IF_EQUAL, number, count - index + opening.length, 0)),
    ...opening,
    instruction(RETURN, REFUSE_WITH_EPERM),
    instruction(RETURN, ALLOW),
  ])
}

function instruction(code: number, operand: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(operand, 4)
  return bytes
}
