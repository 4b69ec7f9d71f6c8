import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rememberCapture } from '../../src/decide/memory.ts'
import { config, minute, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1)
const two = watched(2)
const web = watched(3, { target: 'web' })

const nightly = rule({ name: 'nightly', targets: ['api'], when: { kind: 'schedule', cron: '0 3 * * *' } })
const fire = { trigger: { kind: 'schedule', rule: 'nightly' } } as const

test('a schedule captures each process of its targets once, the largest first', () => {
  const day = new VirtualDay(config([nightly]))
  const sizes = [
    [one, 10],
    [two, 20],
    [web, 30],
  ] as const
  assert.equal(told(day.capture(0, sizes)), 'nothing')
  assert.equal(told(day.capture(second, sizes, fire)), 'nightly of 2')
  assert.equal(told(day.capture(2 * second, sizes)), 'nightly of 1')
  assert.equal(told(day.capture(3 * second, sizes)), 'nothing')
  assert.equal(told(day.capture(minute, sizes, fire)), 'nightly of 2')
})

test('a schedule of another rule does nothing, and one that comes again is not owed twice', () => {
  const day = new VirtualDay(config([nightly]))
  assert.equal(told(day.see(0, [[one, 1]], { trigger: { kind: 'schedule', rule: 'weekly' } })), 'nothing')
  day.see(second, [[one, 1]], fire)
  assert.equal(told(day.capture(2 * second, [[one, 1]], fire)), 'nightly of 1')
  assert.equal(told(day.see(3 * second, [[one, 1]])), 'nothing')
})

test('a process that appears after the hour is not due', () => {
  const day = new VirtualDay(config([nightly]))
  day.capture(0, [[one, 1]], fire)
  assert.equal(told(day.see(second, [[two, 1]])), 'nothing')
})

test('a schedule asks once, whatever becomes of the capture', () => {
  const day = new VirtualDay(config([nightly]))
  const { verdict } = day.see(0, [[one, 1]], fire)
  assert.ok(verdict.kind === 'capture')
  day.memory = rememberCapture(day.memory, verdict, second, 'not-enough-memory')
  assert.equal(told(day.see(2 * second, [[one, 1]])), 'nothing')
})

test('a need goes before a schedule, and answers it', () => {
  const day = new VirtualDay(config([nightly, rule()]))
  const { verdict } = day.capture(
    0,
    [
      [one, 150],
      [two, 10],
    ],
    fire,
  )
  assert.ok(verdict.kind === 'capture')
  assert.deepEqual([verdict.fired.rule, verdict.process.pid, verdict.alsoFired], ['rss-high', 1, ['nightly']])
  assert.equal(
    told(
      day.capture(second, [
        [one, 150],
        [two, 10],
      ]),
    ),
    'nightly of 2',
  )
})

test('a schedule waits for its quota', () => {
  const day = new VirtualDay(config([nightly], { perTarget: { max: 1, windowMs: 60 * minute } }))
  day.capture(
    0,
    [
      [one, 1],
      [two, 2],
    ],
    fire,
  )
  assert.equal(
    told(
      day.see(minute, [
        [one, 1],
        [two, 2],
      ]),
    ),
    'target-quota',
  )
  assert.equal(
    told(
      day.see(60 * minute, [
        [one, 1],
        [two, 2],
      ]),
    ),
    'nightly of 1',
  )
})

const withBaseline = config([rule({ forMs: 10 * second })], { baselineAfterMs: 5 * minute })

test('each process has one baseline, some time after it was first seen', () => {
  const day = new VirtualDay(withBaseline)
  day.see(0, [[one, 10]])
  day.see(minute, [
    [one, 10],
    [two, 10],
  ])
  assert.equal(
    told(
      day.see(5 * minute - 1, [
        [one, 10],
        [two, 10],
      ]),
    ),
    'below-threshold',
  )
  assert.equal(
    told(
      day.capture(5 * minute, [
        [one, 10],
        [two, 10],
      ]),
    ),
    'baseline of 1',
  )
  assert.equal(
    told(
      day.capture(6 * minute, [
        [one, 10],
        [two, 10],
      ]),
    ),
    'baseline of 2',
  )
  assert.equal(
    told(
      day.capture(60 * minute, [
        [one, 10],
        [two, 10],
      ]),
    ),
    'below-threshold',
  )
})

test('a baseline is marked as one', () => {
  const day = new VirtualDay(withBaseline)
  day.see(0, [[one, 10]])
  const { verdict } = day.see(5 * minute, [[one, 10]])
  assert.ok(verdict.kind === 'capture')
  assert.deepEqual([verdict.fired, verdict.capture], [{ rule: 'baseline', kind: 'baseline' }, ['census']])
})

test('a baseline uses up no quota', () => {
  const day = new VirtualDay({
    ...withBaseline,
    rules: [rule()],
    perProcess: { max: 1, windowMs: 60 * minute },
  })
  day.see(0, [[one, 10]])
  assert.equal(told(day.capture(5 * minute, [[one, 10]])), 'baseline of 1')
  assert.equal(told(day.capture(6 * minute, [[one, 150]])), 'rss-high of 1')
})

test('a spent quota does not keep a baseline away', () => {
  const day = new VirtualDay({ ...withBaseline, perTarget: { max: 0, windowMs: 60 * minute } })
  day.see(0, [[one, 10]])
  assert.equal(told(day.see(5 * minute, [[one, 10]])), 'baseline of 1')
})

test('a need goes before a baseline, and is one itself', () => {
  const day = new VirtualDay({ ...withBaseline, rules: [rule()] })
  day.see(0, [[one, 10]])
  assert.equal(told(day.capture(5 * minute, [[one, 150]])), 'rss-high of 1')
  assert.equal(told(day.capture(6 * minute, [[one, 10]])), 'below-threshold')
})

test('a baseline that failed is not tried again', () => {
  const day = new VirtualDay(withBaseline)
  day.see(0, [[one, 10]])
  const { verdict } = day.see(5 * minute, [[one, 10]])
  assert.ok(verdict.kind === 'capture')
  day.memory = rememberCapture(day.memory, verdict, 5 * minute, 'not-enough-memory')
  assert.equal(told(day.see(6 * minute, [[one, 10]])), 'below-threshold')
})
