import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findLibpython, parseMapsLine } from '../../src/observe/parse-maps.ts'
import { fixtures } from './proc-tree.ts'

const line = (path: string, permissions = 'r-xp') =>
  `7f0000000000-7f0000001000 ${permissions} 00001000 fe:00 42   ${path}`

void test('a path may hold spaces', () => {
  assert.deepEqual(parseMapsLine(line('/srv/my app/lib (1).so')), {
    permissions: 'r-xp',
    path: '/srv/my app/lib (1).so',
    isDeleted: false,
  })
})

void test('a deleted file keeps its path', () => {
  assert.deepEqual(parseMapsLine(line('/opt/old.so (deleted)')), {
    permissions: 'r-xp',
    path: '/opt/old.so',
    isDeleted: true,
  })
})

for (const [what, text] of [
  ['anonymous memory', '7f0000000000-7f0000001000 rw-p 00000000 00:00 0 '],
  ['the heap', '7f0000000000-7f0000001000 rw-p 00000000 00:00 0                    [heap]'],
  ['rubbish', 'libpython3.11.so'],
  ['an empty line', ''],
] as const) {
  void test(`${what} is not a mapped file`, () => assert.equal(parseMapsLine(text), undefined))
}

const recorded = (pid: number) => readFileSync(`${fixtures}/machine/${pid}/maps`, 'utf8')

void test('a recorded program that embeds Python maps libpython, a plain python3 does not', () => {
  assert.equal(findLibpython(recorded(102)), '/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0')
  assert.equal(findLibpython(recorded(101)), undefined)
})

for (const [path, isLibpython] of [
  ['/usr/lib/libpython3.13t.so.1.0', true],
  ['/usr/lib/libpython3.7m.so', true],
  ['/tmp/_MEI1/libpython3.10-a1b2c3.so.1.0', true],
  ['/usr/lib/libpython3.12.so.1.0 (deleted)', true],
  ['/usr/lib/libpython3.so', false],
  ['/usr/lib/libpypy3.9-c.so', false],
  ['/srv/libpython3.11.so/data', false],
  ['/usr/share/libpython3.11.txt', false],
] as const) {
  void test(`${path} ${isLibpython ? 'is' : 'is not'} a libpython`, () =>
    assert.equal(findLibpython(line(path)) !== undefined, isLibpython))
}

void test('a libpython that is only mapped for reading is data', () => {
  assert.equal(findLibpython(line('/usr/lib/libpython3.11.so.1.0', 'r--p')), undefined)
})
