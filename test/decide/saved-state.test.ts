import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restore, serialise } from '../../src/decide/saved-state.ts'
import { config, minute, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1)

/** Saves a day and goes on with it in a daemon whose monotonic clock begins at 0. */
const restart = (day: VirtualDay, nowMs: number, downMs: number): VirtualDay => {
  const text = serialise(day.memory, { nowMs, wallMs: 1_000_000_000 })
  const restored = restore(text, { nowMs: 0, wallMs: 1_000_000_000 + downMs })
  assert.equal(restored.kind, 'restored')
  const next = new VirtualDay(day.config)
  next.memory = restored.memory
  return next
}

test('a latch survives a restart', () => {
  const day = new VirtualDay(config([rule()]))
  day.capture(50 * minute, [[one, 150]])
  assert.equal(told(restart(day, 51 * minute, minute).see(second, [[one, 150]])), 'latched')
})

test('a cooldown goes on while the daemon is down', () => {
  const day = new VirtualDay(config([rule({ cooldownMs: 15 * minute })]))
  day.capture(0, [[one, 150]])
  day.see(minute, [[one, 50]])
  const after = restart(day, minute, 10 * minute)
  assert.equal(told(after.see(0, [[one, 150]])), 'cooling-down')
  assert.equal(told(after.see(4 * minute, [[one, 150]])), 'rss-high of 1')
})

test('a wall clock that was set back puts nothing into the future', () => {
  const day = new VirtualDay(config([rule({ cooldownMs: 15 * minute })]))
  day.capture(0, [[one, 150]])
  day.see(minute, [[one, 50]])
  const after = restart(day, minute, -365 * 24 * 60 * minute)
  assert.equal(told(after.see(14 * minute, [[one, 150]])), 'rss-high of 1')
})

test('quotas of processes and targets survive', () => {
  for (const quota of ['perProcess', 'perTarget'] as const) {
    const day = new VirtualDay(config([rule()], { [quota]: { max: 1, windowMs: 60 * minute } }))
    day.capture(0, [[one, 150]])
    day.see(second, [[one, 50]])
    const after = restart(day, 2 * second, minute)
    assert.match(told(after.see(0, [[one, 150]])), /-quota$/)
    assert.equal(told(after.see(60 * minute, [[one, 150]])), 'rss-high of 1')
  }
})

test('a baseline is not taken twice, and is not put off by a restart', () => {
  const day = new VirtualDay(config([], { baselineAfterMs: 5 * minute }))
  day.see(0, [[one, 1]])
  const before = restart(day, 4 * minute, minute)
  assert.equal(told(before.capture(0, [[one, 1]])), 'baseline of 1')
  assert.equal(told(restart(before, 1, minute).see(10 * minute, [[one, 1]])), 'nothing')
})

test('a schedule that was due is still owed', () => {
  const nightly = rule({ name: 'nightly', when: { kind: 'schedule', cron: '0 3 * * *' } })
  const day = new VirtualDay(config([nightly]))
  day.see(0, [[one, 1]], { trigger: { kind: 'schedule', rule: 'nightly' } })
  assert.equal(told(restart(day, second, minute).see(0, [[one, 1]])), 'nightly of 1')
})

test('growth is measured across a restart', () => {
  const when = { kind: 'growth', aboveBytesPerMs: 1, clearBelowBytesPerMs: 0, windowMs: 20 * minute } as const
  const day = new VirtualDay(config([rule({ name: 'grows', when })]))
  for (let at = 0; at <= 9 * minute; at += 10 * second) day.see(at, [[one, at / second]])
  const after = restart(day, 9 * minute, 30 * second)
  assert.equal(told(after.see(0, [[one, 570]])), 'not-enough-samples')
  assert.equal(told(after.see(minute, [[one, 630]])), 'grows of 1')
})

test('a pending rule begins again', () => {
  const day = new VirtualDay(config([rule({ forMs: 10 * second })]))
  day.see(0, [[one, 150]])
  day.see(9 * second, [[one, 150]])
  assert.equal(told(restart(day, 9 * second, second).see(0, [[one, 150]])), 'not-long-enough')
})

test('who ended while the daemon was down is forgotten', () => {
  const day = new VirtualDay(config([rule()]))
  day.capture(0, [[one, 150]])
  const after = restart(day, second, minute)
  after.see(11 * minute, [[watched(2), 1]])
  assert.equal(after.memory.processes.size, 1)
})

const good = { format: 1, savedAtMs: 5, processes: [], targets: [] }
const process = { key: 'k', firstSeenAgo: 1, isBaselineSettled: false, points: [], rules: [], attempts: [] }

test('what is well formed is restored', () => {
  const text = JSON.stringify({ ...good, processes: [process] })
  assert.equal(restore(text, { nowMs: 0, wallMs: 0 }).kind, 'restored')
})

for (const [what, text] of [
  ['nothing', ''],
  ['half a file', JSON.stringify(good).slice(0, 20)],
  ['null', 'null'],
  ['a list', '[]'],
  ['another format', JSON.stringify({ ...good, format: 2 })],
  ['no time', JSON.stringify({ ...good, savedAtMs: 'now' })],
  ['a negative age', JSON.stringify({ ...good, processes: [{ ...process, firstSeenAgo: -1 }] })],
  [
    'an infinite age',
    JSON.stringify({ ...good, processes: [process] }).replace('"firstSeenAgo":1', '"firstSeenAgo":1e999'),
  ],
  [
    'a state there is not',
    JSON.stringify({ ...good, processes: [{ ...process, rules: [{ name: 'a', kind: 'pending', ago: 0 }] }] }),
  ],
  ['a point of three', JSON.stringify({ ...good, processes: [{ ...process, points: [[1, 2, 3]] }] })],
  ['too many attempts', JSON.stringify({ ...good, targets: [{ name: 'api', ago: Array(1001).fill(1) }] })],
  ['an endless name', JSON.stringify({ ...good, targets: [{ name: 'a'.repeat(1001), ago: [] }] })],
  ['deep nesting', '['.repeat(100_000)],
] as const) {
  test(`${what} is refused with a reason, and nothing is remembered`, () => {
    const restored = restore(text, { nowMs: 0, wallMs: 0 })
    assert.ok(restored.kind === 'refused')
    assert.notEqual(restored.reason, '')
    assert.equal(restored.memory.processes.size, 0)
  })
}
