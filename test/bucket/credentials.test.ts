import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCredentials, readCredentials } from '../../src/bucket/credentials.ts'
import { Pace } from '../../src/bucket/paced-body.ts'
import { partBytesOf } from '../../src/bucket/send-file.ts'

const keys = { accessKeyId: 'AK', secretAccessKey: 's/+=' }

for (const [what, text, found] of [
  ['plain', '[default]\naws_access_key_id = AK\naws_secret_access_key=s/+=\n', keys],
  [
    'beside others',
    '[other]\naws_access_key_id=no\n[default]\naws_access_key_id=AK\r\naws_secret_access_key=s/+=\r\n',
    keys,
  ],
  ['without a section', 'aws_access_key_id=AK\naws_secret_access_key=s/+=', keys],
  ['of another section', '[other]\naws_access_key_id=AK\naws_secret_access_key=s', undefined],
  ['half', '[default]\naws_access_key_id=AK\n', undefined],
  ['empty', '', undefined],
] as const)
  test(`credentials that are ${what}`, () => assert.deepEqual(parseCredentials(text), found))

test('without a file the environment has the keys, or an error says what to do', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'AK', AWS_SECRET_ACCESS_KEY: 's/+=' }
  assert.deepEqual(await readCredentials(undefined, env), keys)
  const none = await readCredentials(undefined, {})
  assert.ok(none instanceof Error && none.message.includes('AWS_ACCESS_KEY_ID'))
  const away = await readCredentials('/nonexistent', env)
  assert.ok(away instanceof Error && away.message.includes('ENOENT'))
})

test('what is sent goes at its pace, over all requests together', () => {
  let nowMs = 0
  const pace = new Pace(100, () => nowMs)
  assert.equal(pace.claimMs(1000), 0)
  assert.equal(pace.claimMs(1000), 10)
  nowMs = 15
  assert.equal(pace.claimMs(1000), 5)
  nowMs = 1000
  assert.equal(pace.claimMs(1000), 0, 'who was quiet saves nothing up')
  assert.equal(pace.claimMs(1), 10)
})

test('a file has 10,000 parts at most', () => {
  for (const bytes of [1, 2 ** 23, 2 ** 23 + 1, 2 ** 40]) {
    const part = partBytesOf(bytes)
    assert.ok(part >= 8 * 2 ** 20 && part % 2 ** 20 === 0 && bytes / part < 10_000, `${bytes}: ${part}`)
  }
})
