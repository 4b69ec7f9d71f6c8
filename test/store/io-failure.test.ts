import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainIoError } from '../../src/store/io-failure.ts'

const codes = [
  ['ENOSPC', 'no-space'],
  ['EDQUOT', 'no-space'],
  ['EROFS', 'read-only'],
  ['EACCES', 'not-permitted'],
  ['EPERM', 'not-permitted'],
  ['ENOENT', 'missing'],
  ['ENOTDIR', 'missing'],
  ['EIO', 'io-error'],
] as const
for (const [code, reason] of codes) {
  test(`${code} is ${reason} and says what to do`, () => {
    const failed = explainIoError(Object.assign(new Error(`${code}: no`), { code }), 'writing /x')
    assert.equal(failed.reason, reason)
    assert.equal(failed.detail, `writing /x: ${code}: no`)
    assert.notEqual(failed.hint, '')
  })
}

test('what is no system error is an io-error', () => {
  assert.equal(explainIoError('odd', 'writing /x').reason, 'io-error')
})
