import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fit, fitEnd, visible, widthOf } from '../../src/report/visible.ts'

const cases: readonly (readonly [string, string, string])[] = [
  ['ordinary text stays', 'naïve Größe 中文 x', 'naïve Größe 中文 x'],
  ['escape sequences are spelled out', '\u001b[2Jx\u009b31m', '\\x1b[2Jx\\x9b31m'],
  ['so are new lines and tabs', 'a\nb\tc\rd', 'a\\x0ab\\x09c\\x0dd'],
  ['so is what turns the writing round', 'a\u202eb\u2066c', 'a\\u{202e}b\\u{2066}c'],
  ['so is what has no width', 'a\u200bb\ufeffc\u0301', 'a\\u{200b}b\\u{feff}c\\u{301}'],
  ['so are halves of characters', 'a\ud800b', 'a\\u{d800}b'],
]
for (const [rule, text, expected] of cases) {
  test(rule, () => assert.equal(visible(text), expected))
}

test('what is endless is cut before it is looked at', () => {
  assert.equal(visible('\u001b'.repeat(10_000_000), 3), '\\x1b\\x1b\\x1b…'.replace('…', '…'))
})

test('wide letters count twice', () => {
  assert.deepEqual(['abc', '中文', '😀'].map(widthOf), [3, 4, 2])
})

test('what is too wide is cut to the column, at the end or in front', () => {
  assert.deepEqual([fit('abcdef', 4), fit('abcd', 4), fitEnd('abcdef', 4)], ['abc…', 'abcd', '…def'])
  assert.ok(widthOf(fit('中文中文', 4)) <= 4)
})
