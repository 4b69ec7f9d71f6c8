import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { exportsSymbol } from '../../src/observe/elf-exports.ts'
import { tinyElf } from './tiny-elf.ts'

const check = async (bytes: Buffer, symbol: string): Promise<boolean> => {
  const directory = mkdtempSync(join(tmpdir(), 'elf-'))
  writeFileSync(join(directory, 'file'), bytes)
  const file = await open(join(directory, 'file'))
  try {
    return await exportsSymbol(file, symbol)
  } finally {
    await file.close()
    rmSync(directory, { recursive: true })
  }
}

for (const hash of ['gnu', 'sysv'] as const) {
  test(`${hash}: an exported symbol is found among others`, async () => {
    const elf = tinyElf(['main', 'Py_AddPendingCall', 'Py_Main'], { hash })
    assert.equal(await check(elf, 'Py_AddPendingCall'), true)
    assert.equal(await check(elf, 'Py_AddPending'), false)
    assert.equal(await check(elf, 'PyGILState_Ensure'), false)
  })

  test(`${hash}: a symbol that is only wanted from a library does not count`, async () => {
    const elf = tinyElf(['main'], { hash, imports: ['Py_AddPendingCall'] })
    assert.equal(await check(elf, 'Py_AddPendingCall'), false)
    assert.equal(await check(elf, 'main'), true)
  })

  test(`${hash}: a file cut off anywhere is an answer, not an error`, async () => {
    const elf = tinyElf(['Py_AddPendingCall'], { hash })
    for (let length = 0; length < elf.length; length += 7) {
      assert.equal(await check(elf.subarray(0, length), 'Py_AddPendingCall'), false)
    }
  })
}

test('a file that points out of itself is an answer, not an error', async () => {
  for (const at of [32, 64 + 8, 64 + 16, 120 + 8]) {
    const elf = tinyElf(['Py_AddPendingCall'])
    elf.fill(0xff, at, at + 8)
    assert.equal(await check(elf, 'Py_AddPendingCall'), false)
  }
})

test('a chain without end is given up', async () => {
  const elf = tinyElf(['main'], { hash: 'sysv' })
  // The only link of the chain now leads back to itself.
  const chain = elf.lastIndexOf(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0]))
  elf.writeUInt32LE(1, chain + 4)
  assert.equal(await check(elf, 'Py_AddPendingCall'), false)
})

test('a script and an empty program are not the interpreter', async () => {
  assert.equal(
    await check(Buffer.from('#!/usr/bin/python3\nPy_AddPendingCall'.padEnd(200)), 'Py_AddPendingCall'),
    false,
  )
  assert.equal(await check(tinyElf([]), 'Py_AddPendingCall'), false)
})
