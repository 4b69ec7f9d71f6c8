import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findLibpython } from '../../src/observe/find-libpython.ts'
import { fixtures } from './proc-tree.ts'

const line = (path: string, permissions = 'r-xp') =>
  `7f0000000000-7f0000001000 ${permissions} 00001000 fe:00 42   ${path}`

const recorded = (pid: number) => readFileSync(`${fixtures}/machine/${pid}/maps`, 'utf8')

test('a recorded program that embeds Python maps libpython, a plain python3 does not', () => {
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
  test(`${path} ${isLibpython ? 'is' : 'is not'} a libpython`, () =>
    assert.equal(findLibpython(line(path)) !== undefined, isLibpython))
}

test('a libpython that is only mapped for reading is data', () => {
  assert.equal(findLibpython(line('/usr/lib/libpython3.11.so.1.0', 'r--p')), undefined)
})
