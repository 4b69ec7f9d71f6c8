import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastestGrowth } from '../../src/decide/next-looks.ts'
import { config, limitOf, MiB, rule, second, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1)
const two = watched(2)
const quick = { intervalMs: 10 * second, fastestMs: 100 }
const GIB = 1024

/** Lets a process grow, and looks at it when it is asked for; answers when the rule fired, and after how many looks. */
function grow(mibPerSecond: number, { fastestMs } = quick): { firedMs: number; looks: number } {
  const big = rule({ when: { kind: 'rss', aboveBytes: GIB * MiB, clearBelowBytes: 900 * MiB } })
  const day = new VirtualDay(config([big], { intervalMs: quick.intervalMs, fastestMs }))
  let nextIntervalMs = 0
  for (let nowMs = 0, looks = 1; ; looks++) {
    if (nowMs >= nextIntervalMs) nextIntervalMs += quick.intervalMs
    const decision = day.see(nowMs, [[one, (mibPerSecond * nowMs) / second]])
    if (decision.verdict.kind === 'capture') return { firedMs: nowMs, looks }
    nowMs = Math.min(nextIntervalMs, nowMs + (decision.nextLooks[0]?.inMs ?? Infinity))
  }
}

for (const mibPerSecond of [5, 20, 50]) {
  test(`growth of ${mibPerSecond} MiB/s is caught on the threshold, with few looks`, () => {
    const { firedMs, looks } = grow(mibPerSecond)
    const crossedMs = (GIB / mibPerSecond) * second
    assert.ok(firedMs - crossedMs <= quick.fastestMs, `${firedMs - crossedMs} ms late`)
    assert.ok(looks < crossedMs / quick.intervalMs + 20, `${looks} looks`)
  })
}

test('without it one is as late as the interval', () => {
  const { firedMs } = grow(20, { ...quick, fastestMs: quick.intervalMs })
  assert.equal(firedMs, 60 * second)
})

test('nobody is looked at early who does not grow, is far off, over the threshold or latched', () => {
  const day = new VirtualDay(config([rule()], quick))
  assert.deepEqual(day.see(0, [[one, 90]]).nextLooks, [])
  assert.deepEqual(day.see(10 * second, [[one, 90]]).nextLooks, [])
  assert.deepEqual(day.see(20 * second, [[one, 80]]).nextLooks, [])
  assert.deepEqual(day.see(30 * second, [[two, 1]]).nextLooks, [])
  assert.deepEqual(day.see(40 * second, [[two, 2]]).nextLooks, [])
  assert.deepEqual(day.capture(50 * second, [[one, 150]]).nextLooks, [])
  assert.deepEqual(day.see(60 * second, [[one, 160]]).nextLooks, [])
})

test('the room under a limit counts for rules of limits and of time to the limit', () => {
  for (const when of [
    { kind: 'limit', aboveShare: 0.5, clearBelowShare: 0.4 } as const,
    { kind: 'time-to-limit', belowMs: 1, clearAboveMs: 2, windowMs: 60 * second } as const,
  ]) {
    const day = new VirtualDay(config([rule({ when })], quick))
    day.see(0, [[one, 100, limitOf(1000, 100)]])
    const { nextLooks } = day.see(10 * second, [[one, 400, limitOf(1000, 400)]])
    // 30 MiB a second, and 100 or 600 to go.
    assert.deepEqual(nextLooks, when.kind === 'limit' ? [{ pid: 1, inMs: (100 / 60) * second }] : [])
  }
})

test('a rule that waits for its time is looked at when that has come', () => {
  const day = new VirtualDay(config([rule({ forMs: 4 * second })], quick))
  assert.deepEqual(day.see(0, [[one, 150]]).nextLooks, [{ pid: 1, inMs: 4 * second }])
  const { verdict } = day.see(4 * second, [[one, 150]])
  assert.equal(verdict.kind, 'capture')
})

test('the nearest of several thresholds counts', () => {
  const far = rule({ name: 'far', when: { kind: 'rss', aboveBytes: 1000 * MiB, clearBelowBytes: MiB } })
  const day = new VirtualDay(config([far, rule()], quick))
  day.see(0, [[one, 10]])
  assert.deepEqual(day.see(10 * second, [[one, 60]]).nextLooks, [{ pid: 1, inMs: 4 * second }])
})

test('points that are very close together do not make growth of noise', () => {
  const points = [
    { atMs: 0, rssBytes: 0 },
    { atMs: 1, rssBytes: 1_000_000 },
    { atMs: 1000, rssBytes: 1_000_000 },
    { atMs: 2000, rssBytes: 500_000 },
  ]
  assert.equal(fastestGrowth(points, 100), 1000)
  assert.equal(fastestGrowth([], 100), 0)
})
