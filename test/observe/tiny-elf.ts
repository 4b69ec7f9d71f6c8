/** A 64-bit little-endian ELF file of nothing but a dynamic symbol table, with a hash table of either kind. */
export const tinyElf = (
  exports: readonly string[],
  { hash = 'gnu', imports = [] }: { hash?: 'gnu' | 'sysv'; imports?: readonly string[] } = {},
): Buffer => {
  const names = ['', ...imports, ...exports]
  const strings = Buffer.from(names.map((name) => `${name}\0`).join(''))
  const symbols = Buffer.concat(
    names.map((name, index) => {
      const symbol = Buffer.alloc(24)
      symbol.writeUInt32LE(
        Buffer.from(
          names
            .slice(0, index)
            .map((n) => `${n}\0`)
            .join(''),
        ).length,
        0,
      )
      symbol.writeUInt16LE(exports.includes(name) ? 1 : 0, 6)
      return symbol
    }),
  )
  const table = hash === 'gnu' ? gnuTable(exports, 1 + imports.length) : sysvTable(names.length)
  const [at, address] = [64 + 2 * 56, 0x400000]
  const offsets = { strings: at, symbols: at + strings.length, table: at + strings.length + symbols.length }
  const dynamicAt = offsets.table + table.length
  const dynamic = words64([
    [5, address + offsets.strings],
    [6, address + offsets.symbols],
    [hash === 'gnu' ? 0x6ffffef5 : 4, address + offsets.table],
    [0, 0],
  ])
  const header = Buffer.alloc(64)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  header.writeBigUInt64LE(64n, 32)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(2, 56)
  return Buffer.concat([
    header,
    segment(1, 0, address, dynamicAt),
    segment(2, dynamicAt, address + dynamicAt, dynamic.length),
    strings,
    symbols,
    table,
    dynamic,
  ])
}

// One bucket: all symbols in one chain.
const gnuTable = (exports: readonly string[], firstIndex: number): Buffer => {
  const chain = exports.map((name, index) => {
    const end = index === exports.length - 1 ? 1 : 0
    return ((gnuHash(name) & ~1) | end) >>> 0
  })
  const bloom = [0xffffffff, 0xffffffff]
  return words32([1, firstIndex, 1, 0, ...bloom, exports.length === 0 ? 0 : firstIndex, ...chain])
}

const sysvTable = (symbols: number): Buffer =>
  words32([1, symbols, symbols - 1, ...Array.from({ length: symbols }, (_, index) => Math.max(0, index - 1))])

const gnuHash = (name: string): number => {
  let hash = 5381n
  for (const byte of Buffer.from(name)) hash = (hash * 33n + BigInt(byte)) % 2n ** 32n
  return Number(hash)
}

const segment = (type: number, offset: number, address: number, size: number): Buffer => {
  const bytes = Buffer.alloc(56)
  bytes.writeUInt32LE(type, 0)
  bytes.writeBigUInt64LE(BigInt(offset), 8)
  bytes.writeBigUInt64LE(BigInt(address), 16)
  bytes.writeBigUInt64LE(BigInt(size), 32)
  return bytes
}

const words32 = (values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4)
  return bytes
}

const words64 = (pairs: readonly (readonly [number, number])[]): Buffer => {
  const bytes = Buffer.alloc(pairs.length * 16)
  for (const [index, value] of pairs.flat().entries()) bytes.writeBigUInt64LE(BigInt(value), index * 8)
  return bytes
}
