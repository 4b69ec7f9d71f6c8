import type { Interpreter } from './interpreter.ts'
import { STUB_FUNCTIONS } from './stub-functions.ts'

/** Offsets in struct workspace of src/stub/snapshot.c, which lies in memory that only the snapshot has. */
export const WORKSPACE = { flags: 0x00, filter: 0x08, payload: 0x18, python: 0x20 } as const
export const WORKSPACE_FLAG = { afterFork: 1, importLock: 2, nativeWalk: 4, keepSignals: 8 } as const

const PAGE = 4096
const FILTER_AT = 0x800
const PAYLOAD_AT = 0x1000

export type WorkspaceContent = {
  readonly flags: number
  /** Python source without NUL. */
  readonly payload: Buffer
  /** What it may ask of the kernel, as classic BPF. */
  readonly filter: Buffer
}

/** How much memory the workspace needs, in bytes. */
export const workspaceBytes = (payload: Buffer): number =>
  Math.ceil((PAYLOAD_AT + payload.length + 1) / PAGE) * PAGE

/** What the snapshot's code works with, for a workspace that lies at `base`. */
export function encodeWorkspace(
  content: WorkspaceContent,
  base: number,
  { addresses }: Pick<Interpreter, 'addresses'>,
): Buffer {
  const bytes = Buffer.alloc(PAYLOAD_AT + content.payload.length + 1)
  const put = (offset: number, value: number): number => bytes.writeBigUInt64LE(BigInt(value), offset)
  const { filter } = content
  put(WORKSPACE.flags, content.flags)
  put(WORKSPACE.filter, filter.length / 8)
  put(WORKSPACE.filter + 8, base + FILTER_AT)
  put(WORKSPACE.payload, base + PAYLOAD_AT)
  STUB_FUNCTIONS.forEach(({ name }, index) => put(WORKSPACE.python + 8 * index, addresses.get(name) ?? 0))
  filter.copy(bytes, FILTER_AT)
  content.payload.copy(bytes, PAYLOAD_AT)
  return bytes
}
