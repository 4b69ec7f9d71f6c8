import assert from 'node:assert/strict'
import { test } from 'node:test'
import { config, limitOf, minute, rule, VirtualDay, watched } from './virtual-day.ts'

const [one, two] = [watched(1), watched(2)]
const limitRule = rule({
  name: 'near-limit',
  when: { kind: 'limit', aboveShare: 0.75, clearBelowShare: 0.7 },
})

test('a process that comes near a threshold is told before it crosses', () => {
  const day = new VirtualDay(config([rule()]))
  assert.equal(day.see(0, [[one, 79]]).near, undefined)
  assert.equal(day.see(1000, [[one, 81]]).near, one)
})

test('of several that are near, the one whose evidence may be lost first is told', () => {
  const day = new VirtualDay(config([rule(), limitRule]))
  const decision = day.see(0, [
    [one, 95],
    [two, 50, limitOf(100, 70)],
  ])
  assert.equal(decision.near, two)
})

test('a process that was captured and stays over the threshold is not near it', () => {
  const day = new VirtualDay(config([rule({ cooldownMs: minute })]))
  assert.equal(day.capture(0, [[one, 150]]).near, one)
  assert.equal(day.see(1000, [[one, 150]]).near, undefined)
})

test('one that is over and has to stay so for a while is near', () => {
  const day = new VirtualDay(config([rule({ forMs: minute })]))
  assert.equal(day.see(0, [[one, 150]]).near, one)
})
