import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { execa } from 'execa'
import {
  type BuiltStub,
  PIECES,
  type Piece,
  buildStub,
  canBuildFor,
  compiledFile,
} from '../../src/stub/build.ts'
import { runMachine, whyNoMachine } from '../setup/arm64-machine.ts'

const skip = canBuildFor('aarch64')
  ? false
  : 'optional: needs aarch64-linux-gnu-gcc, see test/setup/arm64-machine.sh'
const pieces = Object.keys(PIECES) as Piece[]
const checkedIn = (piece: Piece): BuiltStub =>
  JSON.parse(readFileSync(compiledFile(piece, 'aarch64'), 'utf8')) as BuiltStub
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-test-'))
const built = new Map<Piece, BuiltStub>()
/** Instructions by the name of the function that they are in. */
const functions = new Map<Piece, ReadonlyMap<string, readonly string[]>>()

before(async () => {
  if (skip !== false) return
  for (const piece of pieces) {
    const elf = join(scratch, `${piece}.elf`)
    built.set(piece, await buildStub(piece, 'aarch64', elf))
    const { stdout } = await execa('aarch64-linux-gnu-objdump', ['-d', '--no-show-raw-insn', elf])
    const found = stdout.split(/^[0-9a-f]+ </m).slice(1)
    functions.set(
      piece,
      new Map(
        found.map((text) => {
          const [name = '', ...lines] = text.split('\n')
          return [name.replace('>:', ''), lines.map(instruction)]
        }),
      ),
    )
  }
})
after(() => rmSync(scratch, { recursive: true }))

/** Without its address, what it refers to by name, and comments. */
const instruction = (line: string): string =>
  (
    line
      .split('\t')
      .slice(1)
      .join(' ')
      .split(/ <|\s*\/\//)[0] ?? ''
  ).trim()
const instructionsOf = (piece: Piece): string[] =>
  [...(functions.get(piece) ?? [])].flatMap(([name, lines]) => (name === 'constants' ? [] : lines))
/** Its operand is an address, which may look like the name of a register. */
const REFERS = /^(b|bl|b\.\w+|cbn?z|tbn?z|adr) /
const VECTOR = /\b[vqdshbz]\d+\b/
const entry = (): readonly string[] => functions.get('service')?.get('pyheap_interrupt_entry') ?? []

for (const piece of pieces) {
  test(`aarch64 ${piece}: the bytes that are checked in are what the source compiles to`, { skip }, (t) => {
    const { compiler, code, symbols } = built.get(piece) ?? checkedIn(piece)
    if (compiler === checkedIn(piece).compiler) {
      assert.deepEqual({ compiler, symbols, code }, checkedIn(piece))
      return
    }
    t.diagnostic(`compiled by ${compiler}, not by ${checkedIn(piece).compiler}: only sizes are compared`)
    assert.ok(Math.abs(code.length - checkedIn(piece).code.length) < 512)
  })

  test(`aarch64 ${piece}: everything is reached by its distance in bytes, not in pages`, { skip }, () => {
    assert.ok(instructionsOf(piece).some((line) => line.startsWith('adr ')) || piece === 'live')
    assert.deepEqual(
      instructionsOf(piece).filter((line) => line.startsWith('adrp ')),
      [],
    )
  })

  test(`aarch64 ${piece}: no vector register is touched but by the entry, which keeps them`, { skip }, () => {
    const vector = instructionsOf(piece).filter((line) => !REFERS.test(line) && VECTOR.test(line))
    assert.deepEqual(
      vector,
      entry().filter((line) => piece === 'service' && /\bq\d+\b/.test(line)),
    )
  })
}

test('aarch64: the entry keeps every register before it calls anything', { skip }, () => {
  const first = entry().findIndex((line) => /^(svc|bl) /.test(line))
  const stored = entry()
    .slice(0, first)
    .filter((line) => /^(stp|str) /.test(line))
    .join('; ')
  for (let n = 0; n <= 30; n++) assert.match(stored, new RegExp(`\\bx${n}\\b`))
  for (let n = 0; n <= 31; n++) assert.match(stored, new RegExp(`\\bq${n}\\b`))
  const read = entry().slice(0, first).join(' ')
  for (const register of ['fpsr', 'fpcr']) assert.match(read, new RegExp(`mrs x\\d+, ${register}`))
})

test('aarch64: the entry leaves by rt_sigreturn alone', { skip }, () => {
  const last = entry().slice(entry().findLastIndex((line) => line.startsWith('b')) + 1)
  assert.ok(last.join('; ').includes('mov x8, #0x8b; svc #0x0; udf #0'), last.join('; '))
  assert.deepEqual(
    entry().filter((line) => /^(ret|br)\b/.test(line)),
    [],
  )
})

test('aarch64: what goes into a service has its inputs behind it and fits into the slack of most pages', () => {
  const { code, symbols } = checkedIn('service')
  const { length } = Buffer.from(code, 'base64')
  assert.equal(symbols['pyheap_inputs'], length)
  assert.ok(length <= 2304)
})

/** What the program of test/stub/aarch64 prints; 252 is -EINTR as the end of a process. */
const EXPECTED = `
registers-changed-by-first 0
answer-of-reap -10
left 1
registers-changed-without-room 0
left-without-room 0
registers-changed-by-room 0
answer-of-room 0
registers-changed-by-room-again 0
answer-of-room-again -17
registers-changed-by-unmap 0
answer-of-unmap 0
registers-changed-by-queue 0
queued 41
entered 1
taken-by-queue 1
registers-changed-by-clone 0
cloned-twice 1
registers-changed-by-own-child 0
cloned-once 1
registers-changed-by-restart 0
restarted 1
registers-changed-by-signal 0
interrupted -4
handled 1
handled-before-end 0
alternate-stack-kept 1
mask-kept 1
registers-ended-with 0
cloned-by-debugger 1
snapshot-is-ready 1
snapshot-ends-by 15
read-after-snapshot 5
still-waits 1
ppoll-after-signal 252
ppoll-with-signal-in-stub 252
sandbox 0
getuid 0
socket -1
open-to-read -1
open-to-write -1
census-ended-with 0
sandbox 0
getuid 0
socket -1
open-to-read 5
open-to-write -1
reading-ended-with 0
end 1
`

test(
  'aarch64: threads go through the stub and back in an emulated machine',
  { skip: whyNoMachine() ?? false },
  async () => {
    const output = await runMachine(checkedIn('service'), scratch)
    const said = output.split(/\r?\n/).filter((line) => /^[a-z][\w-]* -?\d+$/.test(line))
    assert.deepEqual(said, EXPECTED.trim().split('\n'))
  },
)
