import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { execa } from 'execa'
import { EXCHANGE } from '../../src/capture/exchange.ts'
import { INPUT } from '../../src/capture/inputs.ts'
import { STUB_FUNCTIONS } from '../../src/capture/stub-functions.ts'
import { WORKSPACE } from '../../src/capture/workspace.ts'
import { type BuiltStub, PIECES, type Piece, buildStub, compiledFile } from '../../src/stub/build.ts'

const source = (name: string): string =>
  readFileSync(new URL(`../../src/stub/${name}`, import.meta.url).pathname, 'utf8')
const pieces = Object.keys(PIECES) as Piece[]
const checkedIn = (piece: Piece): BuiltStub =>
  JSON.parse(readFileSync(compiledFile(piece, 'x86_64'), 'utf8')) as BuiltStub
const codeOf = (piece: Piece): Buffer => Buffer.from(checkedIn(piece).code, 'base64')
const disassembly = new Map<Piece, string>()
const built = new Map<Piece, BuiltStub>()

before(async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-test-'))
  for (const piece of pieces) {
    const elf = join(scratch, `${piece}.elf`)
    built.set(piece, await buildStub(piece, 'x86_64', elf))
    disassembly.set(piece, (await execa('objdump', ['-d', '-M', 'intel', '--no-show-raw-insn', elf])).stdout)
  }
  rmSync(scratch, { recursive: true })
})

for (const piece of pieces) {
  test(`${piece}: the bytes that are checked in are what the source compiles to`, (t) => {
    const { compiler, code } = built.get(piece) ?? checkedIn(piece)
    if (compiler !== checkedIn(piece).compiler) {
      t.diagnostic(
        `compiled by ${compiler}, checked in from ${checkedIn(piece).compiler}: only sizes are compared`,
      )
      assert.ok(Math.abs(Buffer.from(code, 'base64').length - codeOf(piece).length) < 512)
      return
    }
    assert.deepEqual(built.get(piece), checkedIn(piece))
  })

  test(`${piece}: no instruction touches the registers that only xsave keeps`, () => {
    const vector = (disassembly.get(piece) ?? '')
      .split('\n')
      .filter((line) => /\b([xyz]mm\d|mm[0-7]|st\(\d\)|k[0-7])\b/.test(line))
    assert.deepEqual(vector, [])
  })

  test(`${piece}: everything is reached relative to the code itself, so it runs wherever it lies`, () => {
    // But for fs:0x0, by which a thread knows itself.
    const absolute = (disassembly.get(piece) ?? '')
      .split('\n')
      .filter((line) => /\b(ds|gs):0x|\bfs:0x(?!0$)/.test(line))
    assert.deepEqual(absolute, [])
  })

  test(`${piece}: no call leaves the code but through its tables`, () => {
    for (const [, target = ''] of (disassembly.get(piece) ?? '').matchAll(/call\s+([0-9a-f]+) </g))
      assert.ok(parseInt(target, 16) < codeOf(piece).length)
  })
}

test('what goes into a service fits behind the code of most libraries', () => {
  assert.ok(codeOf('service').length <= 2048)
  assert.equal(checkedIn('service').symbols['pyheap_inputs'], codeOf('service').length)
})

test('a resting thread can be entered two bytes early, where the kernel restarts its call', () => {
  const entry = checkedIn('service').symbols['pyheap_interrupt_entry'] ?? 0
  assert.deepEqual([...codeOf('service').subarray(entry - 2, entry)], [0x90, 0x90])
})

const offsetsIn = (text: string, macro: string): Map<string | undefined, number> => {
  const defines = new Map(
    [...text.matchAll(/#define (\w+) (0x[0-9a-f]+)/g)].map(([, name, value]) => [name, value]),
  )
  return new Map(
    [...text.matchAll(new RegExp(`^${macro}\\((\\w+), (\\w+)\\)`, 'gm'))].map(([, name, value]) => [
      name,
      Number(defines.get(value) ?? value),
    ]),
  )
}

for (const [macro, file, fields] of [
  ['AT_INPUT', 'service.h', INPUT],
  ['AT_EXCHANGE', 'service.h', EXCHANGE],
  ['AT_WORKSPACE', 'snapshot.c', WORKSPACE],
] as const)
  test(`C and TypeScript agree on every offset: ${macro}`, () => {
    const offsets = offsetsIn(source(file), macro)
    for (const [field, offset] of Object.entries(fields))
      if (offset !== 0 || offsets.has(field)) assert.equal(offset, offsets.get(field), field)
  })

test('C and TypeScript agree on the order of the functions', () => {
  const members = [...source('python.h').matchAll(/^\t[^/\n]*?\(?\*(\w+)\)?(?:\(.*\))?;/gm)].map(
    ([, name]) => name,
  )
  const renamed: Record<string, string> = { _Py_NoneStruct: 'Py_None', _Py_TrueStruct: 'Py_True' }
  assert.deepEqual(
    members,
    STUB_FUNCTIONS.map(({ name }) => renamed[name] ?? name),
  )
})
