import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHintLimit } from '../../../src/observe/probe/hint-limit.ts'

test('fifty hints a second are fine, for as long as one likes', () => {
  const limit = createHintLimit()
  for (let ms = 0; ms < 60_000; ms += 20) assert.equal(limit(ms), 'fine')
})

test('twice as many are a flood before 10 seconds are over', () => {
  const limit = createHintLimit()
  const answers = Array.from({ length: 1000 }, (_, index) => limit(index * 10))
  assert.equal(answers.indexOf('flood'), 500)
})
