import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMaps, parseMapsLine } from '../../src/proc/maps.ts'

const line = (path: string) => `7f0000000000-7f0000001000 r-xp 00001000 fe:00 42   ${path}`

test('a line says where, what and which file', () => {
  assert.deepEqual(parseMapsLine(line('/srv/my app/lib (1).so')), {
    start: 0x7f0000000000,
    end: 0x7f0000001000,
    permissions: 'r-xp',
    offset: 0x1000,
    device: 'fe:00',
    inode: 42,
    path: '/srv/my app/lib (1).so',
    isDeleted: false,
  })
})

test('a deleted file keeps its path', () => {
  const mapping = parseMapsLine(line('/opt/old.so (deleted)'))
  assert.equal(mapping?.path, '/opt/old.so')
  assert.equal(mapping.isDeleted, true)
})

test('anonymous memory has no path', () => {
  assert.equal(parseMapsLine('7f0000000000-7f0000001000 rw-p 00000000 00:00 0 ')?.path, '')
  assert.equal(parseMapsLine('7f0000000000-7f0000001000 rw-p 00000000 00:00 0      [heap]')?.path, '[heap]')
})

test('lines that make no sense are left out', () => {
  assert.deepEqual(
    parseMaps(`libpython3.11.so\n\n${line('/a')}\n`).map(({ path }) => path),
    ['/a'],
  )
})
