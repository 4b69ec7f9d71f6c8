import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rememberCapture } from '../../src/decide/memory.ts'
import { config, limitOf, MiB, minute, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1)
const two = watched(2)

test('above the threshold fires, equal to it does not', () => {
  const day = new VirtualDay(config([rule()]))
  assert.equal(told(day.see(0, [[one, 100]])), 'below-threshold')
  assert.equal(told(day.see(second, [[one, 100.1]])), 'rss-high of 1')
})

test('a verdict says what fired it', () => {
  const day = new VirtualDay(config([rule({ action: { kind: 'capture', capture: ['census', 'stacks'] } })]))
  assert.deepEqual(day.see(0, [[one, 150]]).verdict, {
    kind: 'capture',
    process: one.id,
    fired: { rule: 'rss-high', kind: 'rss', value: 150 * MiB, threshold: 100 * MiB },
    alsoFired: [],
    capture: ['census', 'stacks'],
  })
})

const patient = config([rule({ forMs: 10 * second })])

test('with a duration it fires after that long, with two samples at least', () => {
  const day = new VirtualDay(patient)
  for (let at = 0; at < 10; at++) assert.equal(told(day.see(at * second, [[one, 150]])), 'not-long-enough')
  assert.equal(told(day.see(10 * second, [[one, 150]])), 'rss-high of 1')
})

test('a value that flaps begins anew each time', () => {
  const day = new VirtualDay(patient)
  for (let at = 0; at < 100; at++) {
    const decision = day.see(at * second, [[one, at % 9 === 8 ? 100 : 150]])
    assert.equal(decision.verdict.kind, 'wait', `at ${at} s`)
  }
})

test('a missing sample holds the time, a long gap ends it', () => {
  const held = new VirtualDay(patient)
  held.see(0, [[one, 150]])
  assert.equal(told(held.see(5 * second, [])), 'nothing')
  assert.equal(told(held.see(10 * second, [[one, 150]])), 'rss-high of 1')

  const lost = new VirtualDay(patient)
  lost.see(0, [[one, 150]])
  assert.equal(told(lost.see(11 * second, [[one, 150]])), 'not-long-enough')
  assert.equal(told(lost.see(21 * second, [[one, 150]])), 'rss-high of 1')
})

test('a gap is measured by the interval where that is long', () => {
  const day = new VirtualDay({ ...patient, intervalMs: 30 * second })
  day.see(0, [[one, 150]])
  assert.equal(told(day.see(60 * second, [[one, 150]])), 'rss-high of 1')
})

test('after a capture the rule is latched until the value is clear, however long that takes', () => {
  const day = new VirtualDay(config([rule()]))
  assert.equal(told(day.capture(0, [[one, 150]])), 'rss-high of 1')
  assert.equal(told(day.see(60 * minute, [[one, 150]])), 'latched')
  assert.equal(told(day.see(61 * minute, [[one, 90.1]])), 'latched')
  assert.equal(told(day.see(62 * minute, [[one, 90]])), 'below-threshold')
  assert.equal(told(day.see(63 * minute, [[one, 150]])), 'rss-high of 1')
})

test('the cooldown runs from the end of the capture, clear or not', () => {
  const day = new VirtualDay(config([rule({ cooldownMs: 15 * minute })]))
  const { verdict } = day.see(0, [[one, 150]])
  assert.ok(verdict.kind === 'capture')
  day.memory = rememberCapture(day.memory, verdict, minute)
  assert.equal(told(day.see(2 * minute, [[one, 50]])), 'below-threshold')
  assert.equal(told(day.see(16 * minute - 1, [[one, 150]])), 'cooling-down')
  assert.equal(told(day.see(16 * minute, [[one, 150]])), 'rss-high of 1')
})

test('a capture that failed is tried again after the cooldown', () => {
  const day = new VirtualDay(config([rule({ cooldownMs: 15 * minute })]))
  const { verdict } = day.see(0, [[one, 150]])
  assert.ok(verdict.kind === 'capture')
  day.memory = rememberCapture(day.memory, verdict, 0, 'not-enough-memory')
  assert.equal(told(day.see(minute, [[one, 150]])), 'cooling-down')
  assert.equal(told(day.see(15 * minute, [[one, 150]])), 'rss-high of 1')
})

test('the quota of a process counts attempts, good or bad, in a sliding window', () => {
  const day = new VirtualDay(config([rule()], { perProcess: { max: 2, windowMs: 60 * minute } }))
  for (const at of [0, 10 * minute]) {
    const { verdict } = day.see(at, [[one, 150]])
    assert.ok(verdict.kind === 'capture')
    day.memory = rememberCapture(day.memory, verdict, at, 'not-enough-memory')
  }
  assert.equal(
    told(
      day.see(20 * minute, [
        [one, 150],
        [two, 50],
      ]),
    ),
    'process-quota',
  )
  assert.equal(told(day.see(60 * minute, [[one, 150]])), 'rss-high of 1')
})

test('the quota of a target is shared by its processes, also by those that are gone', () => {
  const day = new VirtualDay(config([rule()], { perTarget: { max: 1, windowMs: 60 * minute } }))
  const other = watched(3, { target: 'web' })
  assert.equal(told(day.capture(0, [[one, 150]])), 'rss-high of 1')
  assert.equal(told(day.see(minute, [[two, 150]], { gone: [one] })), 'target-quota')
  assert.equal(
    told(
      day.see(2 * minute, [
        [two, 150],
        [other, 110],
      ]),
    ),
    'rss-high of 3',
  )
  assert.equal(told(day.see(60 * minute, [[two, 150]])), 'rss-high of 2')
})

test('processes that cross together are taken one a turn, the largest need first', () => {
  const day = new VirtualDay(config([rule()]))
  const sizes = [
    [one, 150],
    [two, 300],
    [watched(3), 200],
  ] as const
  const first = day.capture(0, sizes)
  assert.equal(told(first), 'rss-high of 2')
  assert.deepEqual(
    first.waits.map(({ process, reason }) => [process.pid, reason]),
    [
      [1, 'less-urgent'],
      [3, 'less-urgent'],
    ],
  )
  assert.equal(told(day.capture(second, sizes)), 'rss-high of 3')
  assert.equal(told(day.capture(2 * second, sizes)), 'rss-high of 1')
  assert.equal(told(day.capture(3 * second, sizes)), 'latched')
})

test('the next in line does not wait anew because a capture kept the daemon busy', () => {
  const day = new VirtualDay(patient)
  const sizes = [
    [one, 150],
    [two, 300],
  ] as const
  for (let at = 0; at < 10; at++) day.see(at * second, sizes)
  const { verdict } = day.see(10 * second, sizes)
  assert.ok(verdict.kind === 'capture')
  assert.equal(verdict.process.pid, 2)
  day.memory = rememberCapture(day.memory, verdict, 100 * second)
  assert.equal(told(day.see(101 * second, sizes)), 'rss-high of 1')
})

const nearLimit = rule({
  name: 'near-limit',
  when: { kind: 'limit', aboveShare: 0.75, clearBelowShare: 0.7 },
  action: { kind: 'capture', capture: ['stacks'] },
})

test('who is near a limit goes before who is large', () => {
  const day = new VirtualDay(config([rule(), nearLimit]))
  const decision = day.see(0, [
    [one, 900],
    [two, 50, limitOf(100, 76)],
  ])
  assert.equal(told(decision), 'near-limit of 2')
})

test('one capture answers all rules of the process that fire, with all that they ask for', () => {
  const day = new VirtualDay(
    config([
      rule(),
      nearLimit,
      rule({ name: 'huge', when: { kind: 'rss', aboveBytes: 900 * MiB, clearBelowBytes: 0 } }),
    ]),
  )
  const { verdict } = day.capture(0, [[one, 200, limitOf(100, 80)]])
  assert.ok(verdict.kind === 'capture')
  assert.equal(verdict.fired.rule, 'near-limit')
  assert.equal(verdict.fired.value, 0.8)
  assert.deepEqual(verdict.fired.limit, limitOf(100, 80))
  assert.deepEqual(verdict.alsoFired, ['rss-high'])
  assert.deepEqual(verdict.capture, ['stacks', 'census'])
  const { waits } = day.see(second, [[one, 200, limitOf(100, 80)]])
  assert.deepEqual(
    waits.map(({ rule: name, reason }) => `${name} ${reason}`),
    ['rss-high latched', 'near-limit latched', 'huge below-threshold'],
  )
})

test('a rule that begins to fire later is not answered by an earlier capture', () => {
  const day = new VirtualDay(config([rule({ cooldownMs: 60 * minute }), nearLimit]))
  assert.equal(told(day.capture(0, [[one, 150, limitOf(1000, 150)]])), 'rss-high of 1')
  assert.equal(told(day.capture(minute, [[one, 800, limitOf(1000, 800)]])), 'near-limit of 1')
})

test('a rule is only for its targets', () => {
  const day = new VirtualDay(config([rule({ targets: ['web', 'shop'] })]))
  assert.equal(told(day.see(0, [[one, 150]])), 'nothing')
  assert.equal(told(day.see(second, [[watched(3, { target: 'shop' }), 150]])), 'rss-high of 3')
})

test('a process without a limit cannot be near it', () => {
  const day = new VirtualDay(config([nearLimit]))
  assert.equal(told(day.see(0, [[one, 900]])), 'no-limit')
})

test('a reused pid is another process: neither latched nor cooling down', () => {
  const day = new VirtualDay(config([rule({ cooldownMs: 60 * minute })]))
  const reused = watched(1, { id: { bootId: 'boot', pid: 1, startTicks: 99 } })
  day.capture(0, [[one, 150]])
  assert.equal(told(day.see(second, [[reused, 150]], { gone: [one] })), 'rss-high of 1')
})

test('a process that is gone is neither judged nor remembered', () => {
  const day = new VirtualDay(config([rule()]))
  day.see(0, [
    [one, 50],
    [two, 50],
  ])
  assert.equal(told(day.see(second, [[one, 150]], { gone: [one, two] })), 'nothing')
  assert.equal(day.memory.processes.size, 0)
})

test('only who was sampled this turn is judged', () => {
  const day = new VirtualDay(config([rule()]))
  day.see(0, [
    [one, 50],
    [two, 150],
  ])
  assert.equal(told(day.see(second, [[one, 50]])), 'below-threshold')
})

test('waits are bounded, and what matters comes first', () => {
  const day = new VirtualDay(config([rule({ forMs: minute })]))
  const many = Array.from(
    { length: 1000 },
    (_, index) => [watched(index + 1), index === 999 ? 150 : 1] as const,
  )
  const { waits } = day.see(0, many)
  assert.equal(waits.length, 256)
  assert.deepEqual([waits[0]?.process.pid, waits[0]?.reason], [1000, 'not-long-enough'])
})
