import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDumpName, formatPathPart, parseDumpName, parsePartialName } from '../../src/store/layout.ts'

const at = '2026-11-21T23:22:00.000Z'

test('a name says when, who and why, and is read back', () => {
  const name = { at, pid: 4242, rule: 'rss-high' }
  assert.equal(formatDumpName(name), '20261121T232200Z-4242-rss-high')
  assert.deepEqual(parseDumpName('20261121T232200Z-4242-rss-high'), name)
})

test('milliseconds are cut, so the name never lies in the future', () => {
  assert.match(formatDumpName({ at: '2026-11-21T23:22:00.999Z', pid: 1, rule: 'x' }), /^20261121T232200Z-/)
})

test('a second capture in a second gets a name of its own that is still ours', () => {
  const long = { at, pid: 7, rule: 'r'.repeat(64) }
  assert.notEqual(formatDumpName(long, 2), formatDumpName(long))
  assert.equal(parseDumpName(formatDumpName(long, 2))?.rule, `${long.rule}-2`)
})

test('an unfinished name is told from a finished one', () => {
  assert.equal(parseDumpName('20261121T232200Z-4242-rss.partial'), undefined)
  assert.equal(parsePartialName('20261121T232200Z-4242-rss.partial')?.pid, 4242)
  assert.equal(parsePartialName('20261121T232200Z-4242-rss'), undefined)
})

const foreign = [
  'lost+found',
  '20261121T232200Z-4242',
  '20261121T232200Z-0-x',
  '20260231T232200Z-1-x',
  '20261121T252200Z-1-x',
  '20261121T232200Z-1-../x',
  '20261121T232200Z-1-x\n',
  ' 20261121T232200Z-1-x',
]
for (const name of foreign) {
  test(`${JSON.stringify(name)} is not one of our names`, () => {
    assert.equal(parseDumpName(name), undefined)
  })
}

const parts: readonly (readonly [string, string])[] = [
  ['api', 'api'],
  ['../../etc', 'etc'],
  ['a/b c', 'a_b_c'],
  ['', 'unnamed'],
  ['..', 'unnamed'],
  ['x.partial', 'x_partial'],
  ['\u0000\u001b[2J', '2J'],
]
for (const [text, expected] of parts) {
  test(`as a part of a path ${JSON.stringify(text)} is ${expected}`, () => {
    assert.equal(formatPathPart(text), expected)
  })
}
