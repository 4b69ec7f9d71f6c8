import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restore, serialise } from '../../src/decide/saved-state.ts'
import { config, limitOf, MiB, minute, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

// Many workers that pass a threshold together.

const workers = Array.from({ length: 8 }, (_, index) => watched(100 + index))
const web = watched(200, { target: 'web' })
const sizes = (mib: number) => workers.map((worker, index) => [worker, mib + index] as const)

test('one after the other is captured, the largest first, with a pause between two of a target', () => {
  const day = new VirtualDay(config([rule()], { spacingMs: 30 * second }))
  assert.equal(told(day.capture(0, sizes(150))), 'rss-high of 107')
  assert.equal(told(day.capture(second, sizes(150))), 'spacing')
  assert.ok(day.capture(2 * second, sizes(150)).waits.some(({ reason }) => reason === 'spacing'))
  assert.equal(told(day.capture(30 * second, sizes(150))), 'rss-high of 106')
})

test('another target does not wait for it', () => {
  const day = new VirtualDay(config([rule()], { spacingMs: 30 * second }))
  day.capture(0, sizes(150))
  assert.equal(told(day.capture(second, [...sizes(150), [web, 120]])), 'rss-high of 200')
})

test('who is about to hit the limit waits for nobody, and goes first', () => {
  const near = rule({ name: 'near', when: { kind: 'limit', aboveShare: 0.75, clearBelowShare: 0.6 } })
  const day = new VirtualDay(config([rule(), near], { spacingMs: 10 * minute }))
  assert.equal(told(day.capture(0, sizes(150))), 'rss-high of 107')
  const close = workers.map((worker, index) => [worker, 160 + index, limitOf(1000, 800)] as const)
  assert.equal(told(day.capture(second, close)), 'near of 107')
  assert.equal(told(day.capture(2 * second, close)), 'near of 106')
})

test('all captures of the host together have a quota', () => {
  const day = new VirtualDay(config([rule()], { perHost: { max: 2, windowMs: minute } }))
  day.capture(0, [[workers[0] ?? web, 150]])
  day.capture(second, [[web, 150]])
  const third = watched(300, { target: 'other' })
  assert.equal(told(day.capture(2 * second, [[third, 150]])), 'host-quota')
  assert.equal(told(day.capture(minute, [[third, 150]])), 'rss-high of 300')
})

test('a process by itself rests by its cooldown alone, after a restart too', () => {
  const day = new VirtualDay(
    config([rule({ when: { kind: 'steps', bytes: [100, 200].map((mib) => mib * MiB) } })], {
      spacingMs: minute,
    }),
  )
  assert.equal(told(day.capture(0, [[web, 150]])), 'rss-high of 200')
  const saved = serialise(day.memory, { nowMs: 1234.5, wallMs: 0 })
  day.memory = restore(saved, { nowMs: 77.7, wallMs: 0 }).memory
  assert.equal(told(day.capture(second, [[web, 250]])), 'rss-high of 200')
})
