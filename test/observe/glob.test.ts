import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesGlob } from '../../src/observe/glob.ts'

for (const [pattern, text, matches] of [
  ['api-*.service', 'api-eu-1.service', true],
  ['api-*.service', 'my-api-1.service', false],
  ['api', 'api2', false],
  ['*', '', true],
  ['', '', true],
  ['', 'a', false],
  ['?', '', false],
  ['a?c', 'abc', true],
  ['/usr/*/python3.*', '/usr/local/bin/python3.11', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-b-b-', false],
  ['a.c', 'abc', false],
  ['[ab]', 'a', false],
  ['**', 'anything', true],
] as const) {
  test(`${JSON.stringify(pattern)} ${matches ? 'is' : 'is not'} ${JSON.stringify(text)}`, () =>
    assert.equal(matchesGlob(pattern, text), matches))
}

test('a hostile text costs no more than its length times that of the pattern', () => {
  assert.equal(matchesGlob(`${'a*'.repeat(200)}b`, 'a'.repeat(4000)), false)
})
