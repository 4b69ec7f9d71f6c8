import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSecrets, redact } from '../../../src/store/archive/redact.ts'

const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['--db-password=hunter2'], ['hunter2']],
  [['API_KEY=abc123', 'x=1'], ['abc123']],
  [['--token', 'abc123', '--verbose'], ['abc123']],
  [['--token', '--verbose'], []],
  [['postgres://user:s3cret@db/shop'], ['s3cret']],
  [['redis://:s3cret@cache'], ['s3cret']],
  [['https://example.org/a:b@c'], []],
  [['--passphrase-file=/etc/x'], ['/etc/x']],
  [['--port=5432', 'gunicorn', 'tokenizer'], []],
  [['--pass=ab'], []],
]
for (const [cmdline, secrets] of cases)
  test(`secrets of ${cmdline.join(' ')}`, () => assert.deepEqual(findSecrets(cmdline, []), secrets))

test('patterns find more, and a group says which part', () => {
  const cmdline = ['--tenant=acme', 'customer-4711']
  assert.deepEqual(findSecrets(cmdline, [/^--tenant=(.*)$/, /customer-\d+/]), ['customer-4711', 'acme'])
})

test('a secret goes wherever it stands, as itself, in JSON and in HTML', () => {
  const secret = 'a"b<c\\d'
  const text = `${secret} ${JSON.stringify(secret)} a&#34;b&#60;c\\d`
  assert.equal(redact(text, [secret]), '[redacted] "[redacted]" [redacted]')
})

test('of two secrets the longer goes first', () => {
  const secrets = findSecrets(['--token=abc', '--secret=abcdef'], [])
  assert.equal(redact('abcdef abc', secrets), '[redacted] [redacted]')
})
