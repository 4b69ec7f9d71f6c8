import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../../src/decide/explain.ts'
import { emptyMemory, remember, rememberCapture, type Memory } from '../../src/decide/memory.ts'
import { decide } from '../../src/decide/decide.ts'
import { config, limitOf, MiB, minute, rule, second, watched } from './virtual-day.ts'

const one = watched(1)
const above = (mib: number) => ({
  kind: 'rss' as const,
  aboveBytes: mib * MiB,
  clearBelowBytes: mib * MiB * 0.9,
})
const all = config([
  rule({ name: 'far', when: above(1000) }),
  rule({ name: 'passed', when: above(50), forMs: 0, cooldownMs: 15 * minute }),
  rule({ name: 'patient', when: above(50), forMs: 10 * second }),
  rule({ name: 'of others', targets: ['nobody'], when: above(1) }),
  rule({
    name: 'slow',
    when: { kind: 'growth', aboveBytesPerMs: 1, clearBelowBytesPerMs: 1, windowMs: 30 * minute },
  }),
  rule({ name: 'nightly', when: { kind: 'schedule', cron: '0 3 * * *' } }),
])

const see = (memory: Memory, atMs: number, rssMiB: number, isNew = false): Memory =>
  remember(memory, {
    atMs,
    samples: [{ process: one.id, atMs, rssBytes: rssMiB * MiB, limit: limitOf(1000, rssMiB) }],
    appeared: isNew ? [one] : [],
    gone: [],
    host: { totalBytes: 0, availableBytes: 0 },
  })

const reasons = (memory: Memory, nowMs: number) =>
  Object.fromEntries(explain(memory, one.id, all, nowMs).map(({ rule: { name }, reason }) => [name, reason]))

test('every rule says what holds it back, and one that nothing does would fire', () => {
  assert.deepEqual(reasons(see(emptyMemory(), 0, 100, true), 0), {
    far: 'below-threshold',
    passed: undefined,
    patient: 'not-long-enough',
    slow: 'not-enough-samples',
    nightly: 'below-threshold',
  })
})

test('after a capture a rule is latched, and after it came back it cools down', () => {
  const seen = see(emptyMemory(), 0, 100, true)
  const { verdict, memory } = decide(seen, { kind: 'interval' }, all, 0)
  assert.ok(verdict.kind === 'capture')
  const captured = rememberCapture(memory, verdict, second)
  assert.equal(reasons(see(captured, 2 * second, 100), 2 * second)['passed'], 'latched')
  const calm = see(captured, 2 * second, 10)
  const { memory: cleared } = decide(calm, { kind: 'interval' }, all, 2 * second)
  assert.equal(reasons(see(cleared, 3 * second, 100), 3 * second)['passed'], 'cooling-down')
})

test('nobody else is explained', () => {
  const memory = see(emptyMemory(), 0, 100, true)
  assert.deepEqual(explain(memory, watched(2).id, all, 0), [])
})
