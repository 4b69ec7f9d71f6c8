import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findGroupId, parseGroupId } from '../../src/store/group.ts'

const cases: readonly (readonly [string, string, number | undefined])[] = [
  ['a group that exists', 'root:x:0:\npyheap:x:991:alice\n', 991],
  ['no such group', 'root:x:0:\nmypyheap:x:5:\n', undefined],
  ['a line without a gid', 'pyheap\n', undefined],
  ['a gid that is none', 'pyheap:x:-1:\n', undefined],
]
for (const [name, text, expected] of cases) {
  test(`${name} is ${expected}`, () => assert.equal(parseGroupId(text, 'pyheap'), expected))
}

test('a machine without a group file has no groups', async () => {
  assert.equal(await findGroupId('/nowhere/group', 'pyheap'), undefined)
})
