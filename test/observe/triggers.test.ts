import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Trigger } from '../../src/model.ts'
import { nextTickMs, triggers, type TriggerSource } from '../../src/observe/triggers.ts'

for (const [nowMs, waitMs] of [
  [1000, 100],
  [1001, 99],
  [1099, 1],
  [1000.4, 100],
  [1099.5, 1],
  [1100, 100],
  [1750, 50],
] as const) {
  test(`at ${nowMs} ms the next tick of a 100 ms interval begun at 1,000 ms is ${waitMs} ms away`, () =>
    assert.equal(nextTickMs(1000, 100, nowMs), waitMs))
}

const HOUR_MS = 3_600_000

const take = async (stream: AsyncGenerator<Trigger>, count: number): Promise<readonly Trigger[]> => {
  const taken: Trigger[] = []
  while (taken.length < count) {
    const next = await stream.next()
    if (next.done === true) break
    taken.push(next.value)
  }
  return taken
}

test('the first look is at once, and the interval goes on', async () => {
  const stream = triggers({ intervalMs: 1, sources: [], signal: new AbortController().signal })
  const interval = { kind: 'interval' }
  assert.deepEqual(await take(stream, 3), [interval, interval, interval])
  await stream.return(undefined)
})

const insistent: TriggerSource = (push) => {
  for (let times = 0; times < 3; times++) {
    push({ kind: 'schedule', rule: 'nightly' })
    push({ kind: 'growth', pid: 7 })
    push({ kind: 'growth', pid: 8 })
    push({ kind: 'interval' })
  }
  return () => {}
}

test('one trigger of a kind waits while the reader is busy, in the order of arrival', async () => {
  const stop = new AbortController()
  const stream = triggers({ intervalMs: HOUR_MS, sources: [insistent], signal: stop.signal })
  assert.deepEqual(await take(stream, 4), [
    { kind: 'interval' },
    { kind: 'schedule', rule: 'nightly' },
    { kind: 'growth', pid: 7 },
    { kind: 'growth', pid: 8 },
  ])
  stop.abort()
  assert.equal((await stream.next()).done, true)
})

const flood: TriggerSource = (push) => {
  for (let pid = 1; pid <= 100_000; pid++) push({ kind: 'growth', pid })
  push({ kind: 'schedule', rule: 'late' })
  return () => {}
}

test('a flood waits in bounded space', async () => {
  const stop = new AbortController()
  const stream = triggers({ intervalMs: HOUR_MS, sources: [flood], signal: stop.signal })
  await take(stream, 1024)
  const next = stream.next()
  stop.abort()
  assert.equal((await next).done, true)
})

test('the signal ends a stream that waits, and stops its sources', async () => {
  const stop = new AbortController()
  let stopped = 0
  const stream = triggers({ intervalMs: HOUR_MS, sources: [() => () => stopped++], signal: stop.signal })
  await take(stream, 1)
  const next = stream.next()
  stop.abort()
  assert.equal((await next).done, true)
  assert.equal(stopped, 1)
})
