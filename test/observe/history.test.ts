import assert from 'node:assert/strict'
import { test } from 'node:test'
import { History } from '../../src/observe/history.ts'

const id = (startTicks: number) => ({ bootId: 'b', pid: 1, startTicks })

test('points say how long ago they were', () => {
  const history = new History({ windowMs: 60_000, resolutionMs: 1000 })
  history.record(id(1), 1000, 10)
  history.record(id(1), 3500, 20)
  assert.deepEqual(history.of(id(1), 4000), [
    { secondsAgo: 3, rssBytes: 10 },
    { secondsAgo: 0.5, rssBytes: 20 },
  ])
})

test('of several points in one step the last is kept', () => {
  const history = new History({ windowMs: 60_000, resolutionMs: 10_000 })
  for (let atMs = 0; atMs < 20_000; atMs += 1000) history.record(id(1), atMs, atMs)
  assert.deepEqual(
    history.of(id(1), 20_000).map(({ rssBytes }) => rssBytes),
    [9000, 19_000],
  )
})

test('it never holds more than a window of steps', () => {
  const history = new History({ windowMs: 10_000, resolutionMs: 1000 })
  for (let atMs = 0; atMs < 1_000_000; atMs += 100) history.record(id(1), atMs, atMs)
  const points = history.of(id(1), 999_900)
  assert.ok(points.length <= 11)
  assert.equal(points.at(-1)?.rssBytes, 999_900)
})

test('a reused pid has a history of its own, and the forgotten have none', () => {
  const history = new History({ windowMs: 10_000, resolutionMs: 1000 })
  history.record(id(1), 0, 1)
  assert.deepEqual(history.of(id(2), 0), [])
  history.forget(id(1))
  assert.deepEqual(history.of(id(1), 0), [])
})
