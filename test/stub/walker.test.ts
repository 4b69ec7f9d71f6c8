import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { execa } from 'execa'
import { STUB_FUNCTIONS } from '../../src/capture/stub-functions.ts'
import { compileWalker } from '../setup/walker.ts'

const scratch = mkdtempSync(join(tmpdir(), 'pyheap-test-'))
const object = join(scratch, 'walker.o')

before(async () => compileWalker(object))
after(() => rmSync(scratch, { recursive: true }))

test('the walker needs nothing that is not in it', async () => {
  const { stdout } = await execa('nm', ['--undefined-only', object])
  assert.equal(stdout, '')
})

test('the walker keeps no state of its own, and nothing has to be relocated but within its code', async () => {
  const { stdout: sections } = await execa('objdump', ['-h', object])
  for (const [, name, size = ''] of sections.matchAll(/^\s*\d+ (\.(?:data|bss|got|tbss|tdata)\S*)\s+(\w+)/gm))
    assert.equal(parseInt(size, 16), 0, name)
  const { stdout: relocations } = await execa('objdump', ['-r', object])
  const kinds = new Set([...relocations.matchAll(/R_X86_64_\w+/g)].map(([kind]) => kind))
  assert.deepEqual(kinds, new Set(['R_X86_64_PC32']))
})

test('C and TypeScript name the same functions in the same order', () => {
  const header = readFileSync(new URL('../../src/stub/python.h', import.meta.url), 'utf8')
  const body = /struct python \{([^}]*)\}/.exec(header)?.[1] ?? ''
  const fields = [...body.matchAll(/^\t[^;]*?\(\*(\w+)\)\([^;]*;|^\t(?:object|u64) \*(\w+);/gm)].map(
    ([, pointer, data]) => pointer ?? data ?? '',
  )
  const others: Readonly<Record<string, string>> = {
    Py_None: '_Py_NoneStruct',
    Py_True: '_Py_TrueStruct',
    GIL_holder: '_PyThreadState_UncheckedGet',
  }
  assert.deepEqual(
    fields.map((field) => others[field] ?? field),
    STUB_FUNCTIONS.map(({ name }) => name),
  )
})
