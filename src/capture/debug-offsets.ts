/** Where in CPython 3.14 the pieces of its remote debugging interface (PEP 768) lie, from the table in `_PyRuntime`. */
export type DebugOffsets = {
  readonly kind: 'offsets'
  readonly interpretersHead: number
  readonly mainThread: number
  readonly evalBreaker: number
  /** In a thread's state. */
  readonly support: number
  /** In an interpreter's state: whether its owner allows this. */
  readonly enabled: number
  /** In `support`. */
  readonly pending: number
  readonly path: number
  readonly pathBytes: number
}

/** Words of struct _Py_DebugOffsets in 3.14; its layout may change with every minor version. */
const INDEX = {
  cookie: 0,
  version: 1,
  freeThreaded: 2,
  interpretersHead: 5,
  mainThread: 10,
  evalBreaker: 89,
  support: 90,
  enabled: 91,
  pending: 92,
  path: 93,
  pathBytes: 94,
} as const
export const DEBUG_OFFSETS_BYTES = 8 * 95

const COOKIE = 'xdebugpy'
const MOST_BYTES = 2 ** 24

/** Reads the table; undefined when it is not that of a 3.14 with a GIL, or makes no sense. Pure. */
export function parseDebugOffsets(table: Buffer): DebugOffsets | undefined {
  if (table.toString('latin1', 0, 8) !== COOKIE) return undefined
  const word = (name: keyof typeof INDEX): bigint => table.readBigUInt64LE(8 * INDEX[name])
  if (word('version') >> 16n !== 0x030en || word('freeThreaded') !== 0n) return undefined
  const names = [
    'interpretersHead',
    'mainThread',
    'evalBreaker',
    'support',
    'enabled',
    'pending',
    'path',
  ] as const
  const [
    interpretersHead = 0,
    mainThread = 0,
    evalBreaker = 0,
    support = 0,
    enabled = 0,
    pending = 0,
    path = 0,
  ] = names.map((name) => Number(word(name)))
  const pathBytes = Number(word('pathBytes'))
  const all = [interpretersHead, mainThread, evalBreaker, support, enabled, pending, path]
  if (pathBytes !== 512 || all.some((offset) => offset > MOST_BYTES)) return undefined
  return {
    kind: 'offsets',
    interpretersHead,
    mainThread,
    evalBreaker,
    support,
    enabled,
    pending,
    path,
    pathBytes,
  }
}
