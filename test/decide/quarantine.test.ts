import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rememberCapture } from '../../src/decide/memory.ts'
import { restore, serialise } from '../../src/decide/saved-state.ts'
import type { CaptureFailure } from '../../src/model.ts'
import { config, minute, rule, told, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1)
const hour = 60 * minute

/** A day on which every capture of process 1 that is asked for ends as told. */
const dayOf = (...outcomes: readonly ('captured' | CaptureFailure)[]): VirtualDay => {
  const day = new VirtualDay(config([rule()], { quarantineMs: hour, baselineAfterMs: 0 }))
  for (const [index, outcome] of outcomes.entries()) {
    const { verdict } = day.see(index * minute, [[one, 150]])
    assert.ok(verdict.kind === 'capture')
    day.memory = rememberCapture(day.memory, verdict, index * minute, outcome)
  }
  return day
}

test('a process that failed twice in a row is left alone for a while, told once at both ends', () => {
  const day = dayOf('snapshot-hung', 'gdb-timed-out')
  const first = day.see(2 * minute, [[one, 150]])
  assert.equal(told(first), 'quarantined')
  assert.deepEqual(first.quarantines, [{ kind: 'began', process: one.id, failures: 2, leftMs: 59 * minute }])
  const second = day.see(hour, [[one, 150]])
  assert.equal(told(second), 'quarantined')
  assert.deepEqual(second.quarantines, [])
  const after = day.see(61 * minute, [[one, 150]])
  assert.equal(told(after), 'rss-high of 1')
  assert.deepEqual(after.quarantines, [{ kind: 'ended', process: one.id }])
})

test('one more failure after a quarantine begins the next', () => {
  const day = dayOf('snapshot-hung', 'snapshot-hung')
  const { verdict } = day.see(2 * hour, [[one, 150]])
  assert.ok(verdict.kind === 'capture')
  day.memory = rememberCapture(day.memory, verdict, 2 * hour, 'not-taken')
  assert.equal(told(day.see(2 * hour + minute, [[one, 150]])), 'quarantined')
})

test('a good capture between two bad ones keeps a process out of quarantine', () => {
  const day = dayOf('snapshot-died')
  const { verdict } = day.see(minute, [[one, 150]])
  assert.ok(verdict.kind === 'capture')
  day.memory = rememberCapture(day.memory, verdict, minute, 'captured')
  day.see(2 * minute, [[one, 50]])
  const again = day.see(3 * minute, [[one, 150]])
  assert.ok(again.verdict.kind === 'capture')
  day.memory = rememberCapture(day.memory, again.verdict, 3 * minute, 'snapshot-died')
  assert.equal(told(day.see(4 * minute, [[one, 150]])), 'rss-high of 1')
})

test('what was refused beforehand is no failure of the process', () => {
  for (const reason of ['not-enough-memory', 'already-traced', 'stopped', 'gdb-missing', 'busy'] as const)
    assert.equal(told(dayOf(reason, reason, reason).see(3 * minute, [[one, 150]])), 'rss-high of 1', reason)
})

test('a baseline waits for the end of a quarantine too', () => {
  const day = dayOf('clone-refused', 'clone-refused')
  assert.equal(told(day.see(2 * minute, [[one, 50]])), 'below-threshold')
  assert.equal(told(day.see(62 * minute, [[one, 50]])), 'baseline of 1')
})

test('a quarantine goes on while the daemon is down, and the next daemon tells it again', () => {
  const day = dayOf('snapshot-hung', 'snapshot-hung')
  day.see(2 * minute, [[one, 150]])
  const text = serialise(day.memory, { nowMs: 2 * minute, wallMs: 1_000_000_000 })
  const restored = restore(text, { nowMs: 0, wallMs: 1_000_000_000 + 10 * minute })
  assert.equal(restored.kind, 'restored')
  const next = new VirtualDay(day.config)
  next.memory = restored.memory
  const seen = next.see(0, [[one, 150]])
  assert.equal(told(seen), 'quarantined')
  assert.deepEqual(seen.quarantines, [{ kind: 'began', process: one.id, failures: 2, leftMs: 49 * minute }])
  assert.equal(told(next.see(49 * minute, [[one, 150]])), 'rss-high of 1')
})

test('another program under the same identity begins without a record', () => {
  const day = dayOf('snapshot-hung', 'snapshot-hung')
  day.see(2 * minute, [[watched(1, { exe: '/usr/bin/python3.12' }), 150]])
  assert.equal(told(day.see(3 * minute, [[one, 150]])), 'rss-high of 1')
})
