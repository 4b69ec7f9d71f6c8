import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addPoint, growthBytesPerMs, within, type Point } from '../../src/decide/points.ts'
import { MiB, minute, second } from './virtual-day.ts'

const series = (lengthMs: number, stepMs: number, rssOf: (atMs: number) => number): readonly Point[] => {
  let points: readonly Point[] = []
  for (let atMs = 0; atMs <= lengthMs; atMs += stepMs)
    points = addPoint(points, { atMs, rssBytes: rssOf(atMs) })
  return points
}

// The same on every run: a test that fails must fail again.
const noise = (atMs: number): number => (((atMs / 1000) * 7919) % 101) / 50 - 1

test('a day of seconds is a few hundred points, and every window has its share', () => {
  const points = series(24 * 60 * minute, second, () => 1)
  assert.ok(points.length < 450, `${points.length}`)
  for (const windowMs of [minute, 10 * minute, 60 * minute, 12 * 60 * minute]) {
    const half =
      within(points, windowMs, 24 * 60 * minute).length -
      within(points, windowMs / 2, 24 * 60 * minute).length
    assert.ok(half >= 15, `${half} points in the older half of ${windowMs} ms`)
  }
})

test('the newest point is always kept, and points do not grow without end', () => {
  const points = series(100_000, 1, (atMs) => atMs)
  assert.equal(points.at(-1)?.atMs, 100_000)
  assert.ok(points.length <= 640)
})

const perMinute = MiB / minute

for (const [what, rssOf, lowest, highest] of [
  ['steady growth', (atMs: number) => atMs * perMinute, 0.99, 1.01],
  ['growth under noise of 5 MiB', (atMs: number) => atMs * perMinute + noise(atMs) * 5 * MiB, 0.8, 1.2],
  ['noise alone', (atMs: number) => noise(atMs) * 5 * MiB, -0.2, 0.2],
  ['a sawtooth of 100 MiB that comes back', (atMs: number) => (atMs % minute) * 100 * perMinute, -0.5, 0.5],
  ['one step', (atMs: number) => (atMs > 25 * minute ? 100 * MiB : 0), -0.01, 0.01],
  ['shrinking', (atMs: number) => -atMs * perMinute, -1.01, -0.99],
] as const) {
  test(`${what}: between ${lowest} and ${highest} MiB a minute`, () => {
    const growth = growthBytesPerMs(series(30 * minute, second, rssOf), 30 * minute, 30 * minute)
    const mib = (growth ?? Number.NaN) / perMinute
    assert.ok(mib >= lowest && mib <= highest, `${mib}`)
  })
}

const growthAfter = (lengthMs: number, stepMs: number, windowMs: number) =>
  growthBytesPerMs(
    series(lengthMs, stepMs, (atMs) => atMs),
    windowMs,
    lengthMs,
  )

test('less than half a window says nothing, half of it does', () => {
  assert.equal(growthAfter(15 * minute - second, second, 30 * minute), undefined)
  assert.notEqual(growthAfter(15 * minute, second, 30 * minute), undefined)
})

test('fewer than five points say nothing', () => {
  assert.equal(growthAfter(minute, 20 * second, minute), undefined)
  assert.equal(growthAfter(minute, 15 * second, minute), 1)
})

test('only the window counts', () => {
  const points = series(60 * minute, second, (atMs) => Math.min(atMs, 30 * minute))
  const growth = growthBytesPerMs(points, 20 * minute, 60 * minute)
  assert.equal(growth, 0)
})
