import { readSync } from 'node:fs'

/** The loadable segments and the section headers of a 64-bit little-endian ELF file. */
export type ElfFile = {
  readonly fd: number
  /** 2 is ET_EXEC (fixed addresses), 3 is ET_DYN. */
  readonly type: number
  /** 62 is x86-64, 183 aarch64. */
  readonly machine: number
  readonly loads: readonly Load[]
  readonly sections: readonly Section[]
}

/** A loadable segment; `size` is its size in the file. */
type Load = {
  readonly offset: number
  readonly address: number
  readonly size: number
  readonly isExecutable: boolean
}

type Section = {
  readonly type: number
  readonly offset: number
  readonly size: number
  readonly link: number
}

const SYMTAB = 2
const DYNSYM = 11
/** More than any libpython has by a factor of ten; a bound against files made to hurt. */
const MAX_TABLE_BYTES = 256 * 1024 * 1024
const MAX_HEADERS = 65536
const SYMBOL_BYTES = 24

/** Reads the headers of an ELF file; undefined when it is none, or none of ours. */
export function readElf(fd: number): ElfFile | undefined {
  const header = readAt(fd, 0, 64)
  const isElf64LittleEndian =
    header?.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1 && header.length === 64
  if (!isElf64LittleEndian) return undefined
  const programs = readAt(fd, toNumber(header, 32), header.readUInt16LE(56) * 56)
  const sections = readAt(fd, toNumber(header, 40), header.readUInt16LE(60) * 64)
  if (!programs) return undefined
  return {
    fd,
    type: header.readUInt16LE(16),
    machine: header.readUInt16LE(18),
    loads: slices(programs, 56)
      .filter((program) => program.readUInt32LE(0) === 1)
      .map((program) => ({
        offset: toNumber(program, 8),
        address: toNumber(program, 16),
        size: toNumber(program, 32),
        isExecutable: (program.readUInt32LE(4) & 1) === 1,
      })),
    sections: slices(sections ?? Buffer.alloc(0), 64).map((section) => ({
      type: section.readUInt32LE(4),
      offset: toNumber(section, 24),
      size: toNumber(section, 32),
      link: section.readUInt32LE(40),
    })),
  }
}

/** Addresses of the defined symbols among `wanted`, before relocation: .dynsym first, .symtab for what it lacks. */
export function lookUpSymbols(elf: ElfFile, wanted: readonly string[]): Map<string, number> {
  const found = new Map<string, number>()
  const missing = new Set(wanted)
  for (const tableType of [DYNSYM, SYMTAB])
    for (const table of elf.sections.filter((section) => section.type === tableType)) {
      if (missing.size === 0) return found
      const names = elf.sections[table.link]
      const symbols = readAt(elf.fd, table.offset, table.size)
      const strings = names && readAt(elf.fd, names.offset, names.size)
      if (symbols && strings) collectSymbols(symbols, strings, missing, found)
    }
  return found
}

function collectSymbols(
  symbols: Buffer,
  strings: Buffer,
  missing: Set<string>,
  found: Map<string, number>,
): void {
  for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
    if (symbols.readUInt16LE(at + 6) === 0) continue
    const from = symbols.readUInt32LE(at)
    const to = strings.indexOf(0, from)
    if (to < 0 || to - from > 60) continue
    const name = strings.toString('latin1', from, to)
    if (!missing.delete(name)) continue
    found.set(name, toNumber(symbols, at + 8))
  }
}

/** Where the file's address 0 lies in a process that maps `fileOffset` of it at `start`. */
export function loadBias(
  elf: Pick<ElfFile, 'type' | 'loads'>,
  mapping: { readonly start: number; readonly offset: number },
): number {
  if (elf.type === 2) return 0
  const load = elf.loads.find(
    ({ offset, size }) => pageOf(offset) <= mapping.offset && mapping.offset < offset + Math.max(size, 1),
  )
  return load ? mapping.start - mapping.offset - (load.address - load.offset) : mapping.start
}

const pageOf = (address: number): number => address - (address % 4096)

function readAt(fd: number, offset: number, size: number): Buffer | undefined {
  if (size < 0 || size > MAX_TABLE_BYTES || !Number.isSafeInteger(offset)) return undefined
  const buffer = Buffer.alloc(size)
  let done = 0
  while (done < size) {
    const read = readSync(fd, buffer, done, size - done, offset + done)
    if (read === 0) return undefined
    done += read
  }
  return buffer
}

const toNumber = (buffer: Buffer, at: number): number => Number(buffer.readBigUInt64LE(at))

function slices(buffer: Buffer, size: number): Buffer[] {
  const count = Math.min(Math.floor(buffer.length / size), MAX_HEADERS)
  return Array.from({ length: count }, (_, n) => buffer.subarray(n * size, (n + 1) * size))
}
