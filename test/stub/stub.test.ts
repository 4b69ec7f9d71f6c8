import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { execa } from 'execa'
import { FIELD } from '../../src/capture/stub-block.ts'
import { type BuiltStub, buildStub } from '../../src/stub/build.ts'

const file = (name: string): string => new URL(`../../src/stub/${name}`, import.meta.url).pathname
const checkedIn = JSON.parse(readFileSync(file('snapshot-x86_64.json'), 'utf8')) as BuiltStub
const code = Buffer.from(checkedIn.code, 'base64')
let disassembly = ''
let built: BuiltStub

before(async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-test-'))
  const elf = join(scratch, 'stub.elf')
  built = await buildStub(elf)
  disassembly = (await execa('objdump', ['-d', '-M', 'intel', '--no-show-raw-insn', elf])).stdout
  rmSync(scratch, { recursive: true })
})

test('the bytes that are checked in are what the source compiles to', (t) => {
  if (built.compiler !== checkedIn.compiler) {
    t.diagnostic(
      `compiled by ${built.compiler}, checked in from ${checkedIn.compiler}: only the size is compared`,
    )
    assert.ok(Math.abs(Buffer.from(built.code, 'base64').length - code.length) < 512)
    return
  }
  assert.deepEqual(built, checkedIn)
})

test('the stub fits into the one page that is mapped for it', () => {
  assert.ok(code.length <= 4096)
  assert.ok(checkedIn.symbols['pyheap_slots'] !== undefined)
})

test('a resting thread can be entered two bytes early, where the kernel restarts its call', () => {
  const entry = checkedIn.symbols['pyheap_rest_entry'] ?? 0
  assert.deepEqual([...code.subarray(entry - 2, entry)], [0x90, 0x90])
})

test('no instruction touches the registers that only xsave keeps', () => {
  const vector = disassembly
    .split('\n')
    .filter((line) => /\b([xyz]mm\d|mm[0-7]|st\(\d\)|k[0-7])\b/.test(line))
  assert.deepEqual(vector, [])
})

test('everything is reached relative to the code itself, so it runs wherever it is mapped', () => {
  const absolute = disassembly.split('\n').filter((line) => /\b(ds|fs|gs):0x/.test(line))
  assert.deepEqual(absolute, [])
})

test('no call leaves the stub but through the request block', () => {
  const size = code.length
  for (const [, target = ''] of disassembly.matchAll(/call\s+([0-9a-f]+) </g))
    assert.ok(parseInt(target, 16) < size)
})

test('C and TypeScript agree on every offset of the request block', () => {
  const header = readFileSync(file('snapshot.h'), 'utf8')
  const defines = new Map(
    [...header.matchAll(/#define (\w+) (0x[0-9a-f]+)/g)].map(([, name, value]) => [name, value]),
  )
  const offsets = new Map(
    [...header.matchAll(/^AT\((\w+), (\w+)\)/gm)].map(([, name, value]) => [
      name,
      Number(defines.get(value) ?? value),
    ]),
  )
  for (const [field, offset] of Object.entries(FIELD))
    if (field !== 'state') assert.equal(offset, offsets.get(field), field)
})
