import { type Architecture, AUDIT_ARCH, FOR_READING, HARMLESS, OPENAT } from './system-calls.ts'

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

/**
 * What runs in a snapshot: our census, or code of an operator. That may read files as well, to import what it brings
 * along. Where it would write one, the kernel says EPERM: openat is allowed for reading alone.
 */
export type Sandbox = 'census' | 'reading-files'

/**
 * What the snapshot may still ask of the kernel, as a classic BPF program: 8 bytes an instruction, for struct sock_fprog.
 * Everything else answers EPERM, so that a finalizer or a fork handler of the service harms nobody.
 */
export function seccompFilter(sandbox: Sandbox, architecture: Architecture): Buffer {
  const isReading = sandbox === 'reading-files'
  const numbers = [
    ...Object.values(HARMLESS[architecture]),
    ...(isReading ? Object.values(FOR_READING[architecture]) : []),
  ]
  const count = numbers.length
  const opening = isReading
    ? [
        instruction(JUMP_IF_EQUAL, OPENAT[architecture], 0, 2),
        instruction(LOAD_WORD, THIRD_ARGUMENT),
        instruction(JUMP_IF_ANY_BIT, WRITING_FLAGS, 0, 1),
      ]
    : []
  return Buffer.concat([
    instruction(LOAD_WORD, 4),
    instruction(JUMP_IF_EQUAL, AUDIT_ARCH[architecture], 0, count + opening.length + 1),
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
