import type { FileHandle } from 'node:fs/promises'

/**
 * True when an ELF file defines and exports the symbol. Looked up in its hash table as the dynamic linker does, so a
 * file of any size costs a few small reads, and a symbol that it only wants from others does not count. 64-bit
 * little-endian only, which is what can be captured; anything malformed is false.
 */
export const exportsSymbol = async (file: FileHandle, symbol: string): Promise<boolean> => {
  const header = await readAt(file, 0, 64)
  if (header === undefined || !header.subarray(0, 6).equals(ELF64_LITTLE_ENDIAN)) return false
  const segments = await readSegments(file, header)
  const dynamic = segments === undefined ? undefined : await readDynamic(file, segments)
  if (segments === undefined || dynamic === undefined) return false

  const table = (tag: number): number | undefined => fileOffset(segments, dynamic.get(tag))
  const [strings, symbols, gnuHash, hash] = [DT_STRTAB, DT_SYMTAB, DT_GNU_HASH, DT_HASH].map(table)
  if (strings === undefined || symbols === undefined) return false

  const isDefined = async (index: number): Promise<boolean> => {
    const entry = await readAt(file, symbols + index * 24, 24)
    if (entry === undefined || entry.readUInt16LE(6) === SHN_UNDEF) return false
    const name = await readAt(file, strings + entry.readUInt32LE(0), symbol.length + 1)
    return name?.toString('latin1') === `${symbol}\0`
  }
  if (gnuHash !== undefined) return findInGnuHash(file, gnuHash, symbol, isDefined)
  return hash !== undefined && findInHash(file, hash, symbol, isDefined)
}

type Segment = {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}
type IsDefined = (index: number) => Promise<boolean>

const ELF64_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1])
const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT_HASH = 4
const DT_STRTAB = 5
const DT_SYMTAB = 6
const DT_GNU_HASH = 0x6ffffef5
const SHN_UNDEF = 0
// CPython's own table has chains of a handful; a longer one is made up.
const MAX_CHAIN = 1000

const readSegments = async (file: FileHandle, header: Buffer): Promise<readonly Segment[] | undefined> => {
  const count = Math.min(header.readUInt16LE(56), 128)
  const bytes = await readAt(file, Number(header.readBigUInt64LE(32)), count * 56)
  if (bytes === undefined || header.readUInt16LE(54) !== 56) return undefined
  return Array.from({ length: count }, (_, index) => {
    const at = index * 56
    return {
      type: bytes.readUInt32LE(at),
      offset: Number(bytes.readBigUInt64LE(at + 8)),
      address: Number(bytes.readBigUInt64LE(at + 16)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
    }
  })
}

const readDynamic = async (
  file: FileHandle,
  segments: readonly Segment[],
): Promise<ReadonlyMap<number, number> | undefined> => {
  const segment = segments.find(({ type }) => type === PT_DYNAMIC)
  if (segment === undefined) return undefined
  const size = Math.min(segment.size, 16 * 1024)
  const bytes = await readAt(file, segment.offset, size - (size % 16))
  if (bytes === undefined) return undefined
  return new Map(
    Array.from({ length: bytes.length / 16 }, (_, index) => [
      Number(bytes.readBigUInt64LE(index * 16)),
      Number(bytes.readBigUInt64LE(index * 16 + 8)),
    ]),
  )
}

const fileOffset = (segments: readonly Segment[], address: number | undefined): number | undefined => {
  if (address === undefined) return undefined
  const load = segments.find(
    (segment) =>
      segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.size,
  )
  return load === undefined ? undefined : load.offset + address - load.address
}

const findInGnuHash = async (
  file: FileHandle,
  at: number,
  symbol: string,
  isDefined: IsDefined,
): Promise<boolean> => {
  const [buckets, firstIndex, bloomWords] = await readWords(file, at, 3)
  if (buckets === undefined || firstIndex === undefined || bloomWords === undefined || buckets === 0)
    return false
  const wanted = gnuHashOf(symbol)
  const bucketsAt = at + 16 + bloomWords * 8
  const [start] = await readWords(file, bucketsAt + (wanted % buckets) * 4, 1)
  if (start === undefined || start < firstIndex) return false
  const chainAt = bucketsAt + buckets * 4
  for (let index = start; index < start + MAX_CHAIN; index++) {
    const [hash] = await readWords(file, chainAt + (index - firstIndex) * 4, 1)
    if (hash === undefined) return false
    // The lowest bit of a link marks the end of the chain.
    if (hash >>> 1 === wanted >>> 1 && (await isDefined(index))) return true
    if ((hash & 1) === 1) return false
  }
  return false
}

const findInHash = async (
  file: FileHandle,
  at: number,
  symbol: string,
  isDefined: IsDefined,
): Promise<boolean> => {
  const [buckets] = await readWords(file, at, 1)
  if (buckets === undefined || buckets === 0) return false
  let [index] = await readWords(file, at + 8 + (hashOf(symbol) % buckets) * 4, 1)
  for (let steps = 0; index !== undefined && index !== 0 && steps < MAX_CHAIN; steps++) {
    if (await isDefined(index)) return true
    ;[index] = await readWords(file, at + 8 + (buckets + index) * 4, 1)
  }
  return false
}

const gnuHashOf = (symbol: string): number =>
  Buffer.from(symbol).reduce((hash, byte) => (Math.imul(hash, 33) + byte) >>> 0, 5381)

const hashOf = (symbol: string): number =>
  Buffer.from(symbol).reduce((hash, byte) => {
    const sum = ((hash << 4) >>> 0) + byte
    const high = sum & 0xf0000000
    return ((sum ^ (high >>> 24)) & ~high) >>> 0
  }, 0)

const readWords = async (file: FileHandle, at: number, count: number): Promise<readonly number[]> => {
  const bytes = await readAt(file, at, count * 4)
  return bytes === undefined ? [] : Array.from({ length: count }, (_, index) => bytes.readUInt32LE(index * 4))
}

const readAt = async (file: FileHandle, position: number, length: number): Promise<Buffer | undefined> => {
  // A position that no file has comes from a malformed file.
  if (!Number.isSafeInteger(position) || position < 0) return undefined
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
  return bytesRead === length ? buffer : undefined
}
