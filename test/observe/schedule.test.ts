import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCron, startSchedules } from '../../src/observe/schedule.ts'

for (const [cron, timezone, isGood] of [
  ['0 3 * * *', undefined, true],
  ['*/10 * * * * *', undefined, true],
  ['@daily', undefined, true],
  ['0 3 * * *', 'Europe/Berlin', true],
  ['0 3 * * *', 'Europe/Nowhere', false],
  ['61 3 * * *', undefined, false],
  ['often', undefined, false],
  ['', undefined, false],
] as const) {
  test(`cron ${JSON.stringify(cron)} ${timezone ?? ''} is ${isGood ? 'good' : 'told to be bad'}`, () =>
    assert.equal(checkCron(cron, timezone) === undefined, isGood))
}

test('a rule fires by its name when its time has come', { timeout: 5000 }, async () => {
  const keepAlive = setInterval(() => {}, 1000)
  const fired = await new Promise((resolve) => {
    const schedules = startSchedules([{ rule: 'nightly', cron: '* * * * * *', timezone: 'UTC' }], (rule) => {
      schedules.stop().then(() => resolve(rule), resolve)
    })
  })
  clearInterval(keepAlive)
  assert.equal(fired, 'nightly')
})
