import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layOutTable, plainStyle, wrap } from '../../src/report/layout.ts'

test('text is broken at spaces, and a word longer than a line inside', () => {
  assert.deepEqual(wrap('one two three', 8), ['one two', 'three'])
  assert.deepEqual(wrap('a bcdefghijklmnop q', 12, '  ', '- '), ['- a', '  bcdefghijk', '  lmnop q'])
})

test('numbers stand right, text left, and nothing hangs over at the end', () => {
  const rows = [
    [{ text: '5' }, { text: 'str' }],
    [{ text: '1,000' }, { text: 'dict' }],
  ]
  const lines = layOutTable(
    [
      { head: 'count', align: 'right' },
      { head: 'type', align: 'left' },
    ],
    rows,
    plainStyle,
  )
  assert.deepEqual(lines, ['count  type', '    5  str', '1,000  dict'])
})

test('one column gives way where the line would be too long', () => {
  const rows = [[{ text: 'x'.repeat(40) }, { text: 'y'.repeat(10) }]]
  const columns = [
    { head: 'a', align: 'left', gives: true },
    { head: 'b', align: 'left' },
  ] as const
  const [, line = ''] = layOutTable(columns, rows, { ...plainStyle, width: 30 })
  assert.equal(line, `${'x'.repeat(17)}…  ${'y'.repeat(10)}`)
})
