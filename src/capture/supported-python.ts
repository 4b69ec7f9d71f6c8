import type { CaptureFailed } from '../model.ts'
import { LIVE_ONLY_FUNCTIONS, SERVICE_FUNCTIONS, STUB_FUNCTIONS } from './stub-functions.ts'

/** What must be known of a CPython to say whether it can be captured. */
export type PythonBuild = {
  /** As the process sees the file that the interpreter is in. */
  readonly path: string
  /** e_machine of its ELF header. */
  readonly machine: number
  readonly version?: readonly [major: number, minor: number] | undefined
  /** The name of a fork that keeps CPython's API. */
  readonly fork?: string | undefined
  /** Those of REQUIRED and OPTIONAL that it defines. */
  readonly symbols: { readonly has: (name: string) => boolean }
}

const X86_64 = 62
const AARCH64 = 183
/** Minor versions of Python 3 that captures were tried with; a later one may change what the stub relies on. */
const OLDEST = 8
const NEWEST = 15
/** Only free-threaded builds export it. */
const FREE_THREADED = '_Py_DecRefShared'

const FUNCTIONS = [...SERVICE_FUNCTIONS, ...STUB_FUNCTIONS, ...LIVE_ONLY_FUNCTIONS]
export const REQUIRED: readonly string[] = FUNCTIONS.flatMap(({ name, need }) =>
  need === 'required' ? [name] : [],
)
export const OPTIONAL: readonly string[] = [
  'Py_Version',
  FREE_THREADED,
  '_PyRuntime',
  ...FUNCTIONS.flatMap(({ name, need }) => (need === 'optional' ? [name] : [])),
]

export type SupportedPython = { readonly kind: 'supported'; readonly major: number; readonly minor: number }

/** Whether this CPython can be captured, and if not, why. Pure. */
export function judgePython({
  path,
  machine,
  version,
  fork,
  symbols,
}: PythonBuild): SupportedPython | CaptureFailed {
  if (machine === AARCH64)
    return unsupported('it runs on aarch64, whose native code was never tried on a real machine')
  if (machine !== X86_64) return unsupported('only x86-64 processes can be snapshotted so far')
  if (!version) return unsupported(`cannot tell the version of the Python in ${path}`)
  if (fork !== undefined)
    return unsupported(`it runs ${fork}, a fork of CPython: only CPython itself is captured`)
  const [major, minor] = version
  const name = `Python ${major}.${minor}`
  const known = `3.${OLDEST} to 3.${NEWEST}`
  if (major < 3 || (major === 3 && minor < OLDEST))
    return unsupported(`${name} is too old: snapshots are taken of ${known}`)
  if (major > 3 || minor > NEWEST)
    return unsupported(`${name} is newer than this pyheap-watchd, which knows ${known}`)
  if (symbols.has(FREE_THREADED))
    return unsupported(
      `${name} is a free-threaded build: without a GIL there is no moment at which a snapshot would be whole`,
      'run the service with the ordinary build; a rule that fires still keeps what is seen from outside',
    )
  const missing = REQUIRED.filter((symbol) => !symbols.has(symbol))
  if (missing.length > 0) return unsupported(`the Python in ${path} does not export ${missing.join(', ')}`)
  return { kind: 'supported', major, minor }
}

const unsupported = (detail: string, hint?: string): CaptureFailed => ({
  kind: 'failed',
  reason: 'unsupported-python',
  detail,
  hint,
})
