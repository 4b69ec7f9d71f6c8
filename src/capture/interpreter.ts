import { closeSync, fstatSync, readFileSync, readSync, statSync } from 'node:fs'
import type { CaptureFailed } from '../model.ts'
import { type Mapping, parseMaps } from '../proc/maps.ts'
import { type ElfFile, loadBias, lookUpSymbols } from './elf.ts'
import { fileKey, firstOfEachFile, openImage } from './mapped-file.ts'
import { STUB_FUNCTIONS } from './stub-functions.ts'
import {
  OPTIONAL,
  type PythonBuild,
  REQUIRED,
  type SupportedPython,
  judgePython,
} from './supported-python.ts'

/** The CPython inside a process, and where its functions are. */
export type Interpreter = {
  readonly kind: 'interpreter'
  /** As the process sees it. */
  readonly path: string
  readonly major: number
  readonly minor: number
  readonly addresses: ReadonlyMap<string, number>
  /** Address ranges of the interpreter's image, its bss included: a futex in here is the GIL's. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[]
}

const LIBC = STUB_FUNCTIONS.flatMap(({ name, need }) => (need === 'libc' ? [name] : []))
/** glibc's, and the names that distributions give musl's. */
const LIBC_FILE = /\/(libc\.so(\.6)?|libc-2\.\d+\.so|ld-musl-[^/]*|libc\.musl-[^/]*)$/
const LIBPYTHON_FILE = /\/libpython\d[^/]*\.so[^/]*$/

/** Finds the interpreter in a live process and resolves what the stub calls, without stopping the process. */
export function resolveInterpreter(procRoot: string, pid: number): Interpreter | CaptureFailed {
  const mappings = parseMaps(readFileSync(`${procRoot}/${pid}/maps`, 'latin1'))
  for (const first of candidates(mappings, statSync(`${procRoot}/${pid}/exe`).ino)) {
    const image = openImage(procRoot, pid, first)
    if (!image) continue
    try {
      const symbols = lookUpSymbols(image, [...REQUIRED, ...OPTIONAL])
      if (!symbols.has('Py_AddPendingCall')) continue
      const { path } = first
      const version = readVersion(image, path, symbols.get('Py_Version'))
      const python = judgePython({ path, machine: image.machine, symbols, ...version })
      if (python.kind === 'failed') return python
      return describe(procRoot, pid, mappings, { image, first, symbols, python })
    } finally {
      closeSync(image.fd)
    }
  }
  return { kind: 'failed', reason: 'not-python', detail: `process ${pid} has no CPython in it` }
}

/** A CPython that can be captured. */
type Found = {
  readonly image: ElfFile
  readonly first: Mapping
  readonly symbols: ReadonlyMap<string, number>
  readonly python: SupportedPython
}

function describe(
  procRoot: string,
  pid: number,
  mappings: readonly Mapping[],
  { image, first, symbols, python: { major, minor } }: Found,
): Interpreter | CaptureFailed {
  const bias = loadBias(image, first)
  const addresses = new Map([...symbols].map(([name, address]) => [name, address + bias]))
  for (const [name, address] of resolveLibc(procRoot, pid, mappings)) addresses.set(name, address)
  // Linked statically, the C library is part of the image.
  if (!addresses.has('mallinfo2'))
    for (const [name, address] of lookUpSymbols(image, LIBC)) addresses.set(name, address + bias)
  return {
    kind: 'interpreter',
    path: first.path,
    major,
    minor,
    addresses,
    ranges: imageRanges(mappings, first),
  }
}

/** The first mapping of every mapped file: libpython before the executable, the rest left out. */
function candidates(mappings: readonly Mapping[], executableInode: number): Mapping[] {
  const firsts = firstOfEachFile(mappings)
  const libraries = firsts.filter(({ path }) => LIBPYTHON_FILE.test(path))
  return [...libraries, ...firsts.filter(({ inode }) => inode === executableInode)]
}

function resolveLibc(
  procRoot: string,
  pid: number,
  mappings: readonly Mapping[],
): ReadonlyMap<string, number> {
  for (const first of firstOfEachFile(mappings).filter(({ path }) => LIBC_FILE.test(path))) {
    const image = openImage(procRoot, pid, first)
    if (!image) continue
    try {
      const bias = loadBias(image, first)
      return new Map([...lookUpSymbols(image, LIBC)].map(([name, address]) => [name, address + bias]))
    } finally {
      closeSync(image.fd)
    }
  }
  return new Map()
}

/** All mappings of the image, and the anonymous one right behind its last: the rest of its bss. */
function imageRanges(mappings: readonly Mapping[], first: Mapping): { start: number; end: number }[] {
  const isImage = (mapping: Mapping | undefined): boolean =>
    mapping !== undefined && mapping.inode !== 0 && fileKey(mapping) === fileKey(first)
  return mappings.flatMap((mapping, index) => {
    const before = mappings[index - 1]
    const isBss = mapping.path === '' && before?.end === mapping.start && isImage(before)
    return isImage(mapping) || isBss ? [{ start: mapping.start, end: mapping.end }] : []
  })
}

/** Py_Version holds 0x030b02f0 in 3.11 and later; older ones say it in their file name or in their module path. */
function readVersion(
  image: ElfFile,
  path: string,
  symbol: number | undefined,
): Pick<PythonBuild, 'version' | 'fork'> {
  const load = image.loads.find(
    ({ address, size }) => symbol !== undefined && address <= symbol && symbol < address + size,
  )
  if (symbol !== undefined && load) {
    const version = Buffer.alloc(4)
    readSync(image.fd, version, 0, 4, symbol - load.address + load.offset)
    return { version: [version.readUInt8(3), version.readUInt8(2)] }
  }
  const text = readAll(image.fd)
  const name = /python(\d)\.(\d+)/.exec(path) ?? /lib\/python(\d)\.(\d+)/.exec(text)
  return {
    version: name ? [Number(name[1]), Number(name[2])] : undefined,
    fork: text.includes('[Pyston ') ? 'Pyston' : undefined, // from the format of its sys.version
  }
}

/** The whole file as text; interpreters are some tens of MB. */
function readAll(fd: number): string {
  const size = Math.min(fstatSync(fd).size, 128 * 1024 * 1024)
  const buffer = Buffer.alloc(size)
  return buffer.toString('latin1', 0, readSync(fd, buffer, 0, size, 0))
}
