import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureBoundMs, nextHeartbeat } from '../../src/service/heartbeat.ts'
import type { ToldEvent } from '../../src/report/told-event.ts'

const limits = { intervalMs: 1000, captureMs: 500_000 }
const looked: ToldEvent = {
  kind: 'observed',
  observation: { atMs: 0, samples: [], appeared: [], gone: [], host: { totalBytes: 1, availableBytes: 1 } },
}
const decided = (verdict: Extract<ToldEvent, { kind: 'decided' }>['verdict']): ToldEvent => ({
  kind: 'decided',
  trigger: { kind: 'interval' },
  verdict,
  waits: [],
  quarantines: [],
})

test('a turn gives the loop a minute more than its intervals', () => {
  assert.equal(nextHeartbeat({ deadlineMs: 0 }, looked, limits, 1000).deadlineMs, 63_000)
})

test('a capture may be as long as its own bounds, and the end of it counts as a turn', () => {
  const id = { bootId: 'b', pid: 1, startTicks: 1 }
  const request = { process: id, fired: { rule: 'r', kind: 'rss' as const }, alsoFired: [], capture: [] }
  const during = nextHeartbeat({ deadlineMs: 0 }, decided({ kind: 'capture', ...request }), limits, 0)
  assert.equal(during.deadlineMs, 500_000)
  const refused = { kind: 'failed' as const, reason: 'gone' as const, detail: '' }
  const end: ToldEvent = {
    kind: 'finished',
    request: { kind: 'capture', ...request },
    outcome: { kind: 'refused', outcome: refused },
  }
  assert.equal(nextHeartbeat(during, end, limits, 10_000).deadlineMs, 72_000)
})

test('what is told between turns keeps nobody alive', () => {
  const before = { deadlineMs: 5 }
  assert.equal(nextHeartbeat(before, decided({ kind: 'wait', waits: [] }), limits, 1000), before)
  assert.equal(nextHeartbeat(before, { kind: 'paused', forMs: 1 }, limits, 1000), before)
})

test('every try of a capture fits into its bound', () =>
  assert.ok(captureBoundMs({ timeoutMs: 120_000, gdbTimeoutMs: 10_000 }) >= 3 * 130_000))
