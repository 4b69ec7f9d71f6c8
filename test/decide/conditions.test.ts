import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition, LevelCondition, Pressure, SampleExtras } from '../../src/model.ts'
import { decide } from '../../src/decide/decide.ts'
import { carryOver, emptyMemory, remember, rememberCapture, type Memory } from '../../src/decide/memory.ts'
import { restore, serialise } from '../../src/decide/saved-state.ts'
import { config, limitOf, MiB, minute, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1)
const two = watched(2)

const day = (when: Condition, given: Partial<Parameters<typeof rule>[0]> = {}) =>
  new VirtualDay(config([rule({ when, ...given })], { perProcess: { max: 100, windowMs: 60 * minute } }))

/** What happens at sizes in MiB, one a second, captured at once. */
const at = (when: Condition, sizes: readonly number[]): readonly string[] => {
  const today = day(when)
  return sizes.map((size, n) => told(today.capture(n * second, [[one, size]])))
}

test('steps: each is taken once, the highest that is passed counts for those below, and none comes again', () => {
  const steps: Condition = { kind: 'steps', bytes: [100 * MiB, 200 * MiB, 400 * MiB] }
  const capture = 'rss-high of 1'
  const wait = 'below-threshold'
  assert.deepEqual(at(steps, [50, 120, 130, 90, 120, 210, 450, 300, 900]), [
    wait,
    capture,
    wait,
    wait,
    wait,
    capture,
    capture,
    wait,
    wait,
  ])
  assert.deepEqual(at(steps, [450, 450, 210]), [capture, wait, wait])
})

test('steps: another process begins anew', () => {
  const today = day({ kind: 'steps', bytes: [100 * MiB] })
  today.capture(0, [[one, 150]])
  assert.equal(
    told(
      today.capture(second, [
        [one, 150],
        [two, 150],
      ]),
    ),
    'rss-high of 2',
  )
})

test('ratchet: again only so much above the last captured size, whatever is between', () => {
  const ratchet: Condition = { kind: 'ratchet', aboveBytes: 100 * MiB, riseShare: 0.25 }
  const today = day(ratchet)
  const seen = [90, 101, 120, 50, 126, 127, 150, 158].map((size, n) =>
    told(today.capture(n * second, [[one, size]])),
  )
  assert.deepEqual(
    seen.map((word) => word === 'rss-high of 1'),
    [false, true, false, false, false, true, false, false],
  )
  assert.equal(told(today.capture(minute, [[one, 159]])), 'rss-high of 1')
})

test('ratchet: a capture that failed does not move it, and a restart does not forget it', () => {
  const ratchet: Condition = { kind: 'ratchet', aboveBytes: 100 * MiB, riseShare: 0.25 }
  const today = day(ratchet)
  const { verdict } = today.see(0, [[one, 150]])
  assert.ok(verdict.kind === 'capture')
  today.memory = rememberCapture(today.memory, verdict, 0, 'gdb-failed')
  assert.equal(told(today.capture(second, [[one, 151]])), 'rss-high of 1')
  const saved = serialise(today.memory, { nowMs: second, wallMs: 0 })
  today.memory = restore(saved, { nowMs: 2 * second, wallMs: 0 }).memory
  assert.notEqual(told(today.see(3 * second, [[one, 180]])), 'rss-high of 1')
  assert.equal(told(today.see(4 * second, [[one, 190]])), 'rss-high of 1')
})

test('ratchet: a rule that was changed begins anew', () => {
  const before = rule({ when: { kind: 'ratchet', aboveBytes: 100 * MiB, riseShare: 0.25 } })
  const after = rule({ when: { kind: 'ratchet', aboveBytes: 100 * MiB, riseShare: 0.5 } })
  const today = new VirtualDay(config([before]))
  today.capture(0, [[one, 150]])
  today.memory = carryOver(today.memory, [before], [after])
  today.config = config([after])
  assert.equal(told(today.see(second, [[one, 150]])), 'rss-high of 1')
})

/** Grows by so many MiB a minute for 40 minutes, from a size; whether a rule with this growth fires. */
const grows = (given: object, fromMiB: number, perMinute: number): boolean => {
  const today = day({
    kind: 'growth',
    aboveBytesPerMs: MiB / minute,
    clearBelowBytesPerMs: MiB / minute / 2,
    windowMs: 30 * minute,
    ...given,
  })
  for (let n = 0; n <= 240; n++)
    if (told(today.see(n * 10 * second, [[one, fromMiB + (n * perMinute) / 6]])) === 'rss-high of 1')
      return true
  return false
}

test('growth: small processes and small changes are let be', () => {
  assert.equal(grows({}, 10, 2), true)
  assert.equal(grows({ floorBytes: 200 * MiB }, 10, 2), false)
  assert.equal(grows({ floorBytes: 200 * MiB }, 190, 2), true)
  assert.equal(grows({ minChangeBytes: 100 * MiB }, 10, 2), false)
  assert.equal(grows({ minChangeBytes: 20 * MiB }, 10, 2), true)
})

test('time to limit: earlier where captures of the target take long, as they were measured', () => {
  const when: Condition = {
    kind: 'time-to-limit',
    belowMs: 10 * second,
    clearAboveMs: 11 * second,
    windowMs: minute,
    captures: 3,
  }
  /** At which second it fires, growing by 10 MiB a second to 1,000. */
  const firesAt = (memory: Memory): number => {
    const today = day(when)
    today.memory = memory
    for (let n = 0; n < 100; n++)
      if (told(today.see(n * second, [[one, n * 10, limitOf(1000, n * 10)]])) === 'rss-high of 1') return n
    return Infinity
  }
  const measured = (msPerGiB: number): Memory => ({
    ...emptyMemory(),
    captureCosts: new Map([['api', msPerGiB / 2 ** 30]]),
  })
  const quick = firesAt(measured(10))
  const slow = firesAt(measured(20_000))
  assert.ok(quick >= 90, `10 s before the limit: ${quick}`)
  // At 65 s it has 650 MiB: a capture takes 12.7 s, three of them 38 s.
  assert.ok(slow >= 60 && slow <= 72, `three captures before the limit: ${slow}`)
})

test('what a capture took is measured from the sample that led to it, and outlives a restart', () => {
  const today = day({ kind: 'rss', aboveBytes: 100 * MiB, clearBelowBytes: 90 * MiB })
  const { verdict } = today.see(0, [[one, 1024]])
  assert.ok(verdict.kind === 'capture')
  today.memory = rememberCapture(today.memory, verdict, 5000)
  const cost = (memory: Memory): number => Math.round((memory.captureCosts?.get('api') ?? 0) * 2 ** 30)
  assert.equal(cost(today.memory), 5000)
  const saved = serialise(today.memory, { nowMs: 5000, wallMs: 0 })
  assert.equal(cost(restore(saved, { nowMs: 0, wallMs: 0 }).memory), 5000)
})

/** Whether a condition fires on one sample with these extras. */
const firesOn = (when: Condition, extras: SampleExtras | undefined, usedMiB = 50, rssMiB = 40): string => {
  const memory = remember(emptyMemory(), {
    atMs: 0,
    samples: [{ process: one.id, atMs: 0, rssBytes: rssMiB * MiB, limit: limitOf(100, usedMiB), extras }],
    appeared: [one],
    gone: [],
    host: { totalBytes: 1, availableBytes: 1 },
  })
  return told(decide(memory, { kind: 'interval' }, config([rule({ when })]), 0))
}

const pressure = (share: number): Pressure => {
  const none = { '10s': 0, '1m': 0, '5m': 0 }
  return { some: { ...none, '10s': share }, full: none }
}

const EXTRAS: readonly (readonly [LevelCondition, SampleExtras, SampleExtras])[] = [
  [
    { kind: 'pressure', of: 'cgroup', stall: 'some', over: '10s', aboveShare: 0.2, clearBelowShare: 0.1 },
    { pressure: { cgroup: pressure(0.3) } },
    { pressure: { cgroup: pressure(0.2), host: pressure(0.9) } },
  ],
  [{ kind: 'swap', aboveBytes: 10, clearBelowBytes: 9 }, { swapBytes: 11 }, { swapBytes: 10 }],
  [{ kind: 'pss', aboveBytes: 10, clearBelowBytes: 9 }, { pssBytes: 11 }, { pssBytes: 10, ussBytes: 99 }],
  [{ kind: 'uss', aboveBytes: 10, clearBelowBytes: 9 }, { ussBytes: 11 }, { ussBytes: 10, pssBytes: 99 }],
  [{ kind: 'age', aboveMs: minute }, { ageMs: minute + 1 }, { ageMs: minute }],
]
for (const [when, over, under] of EXTRAS)
  test(`${when.kind}: above its threshold it fires, at it not, and untold it says so`, () => {
    assert.equal(firesOn(when, over), 'rss-high of 1')
    assert.equal(firesOn(when, under), 'below-threshold')
    assert.equal(firesOn(when, undefined), 'not-told')
  })

test('cgroup share: of what the limited cgroup uses; without a cgroup there is none', () => {
  const when: LevelCondition = { kind: 'cgroup-share', aboveShare: 0.5, clearBelowShare: 0.4 }
  assert.equal(firesOn(when, undefined, 50, 26), 'rss-high of 1')
  assert.equal(firesOn(when, undefined, 50, 25), 'below-threshold')
  const today = day(when)
  assert.equal(told(today.see(0, [[one, 50, { ...limitOf(100, 60), source: 'host' }]])), 'no-limit')
})

test('memory events: counted over the window, from the first look on', () => {
  const when: LevelCondition = { kind: 'memory-events', event: 'max', aboveCount: 2, windowMs: minute }
  let memory = emptyMemory()
  const look = (atMs: number, max: number): string => {
    memory = remember(memory, {
      atMs,
      samples: [{ process: one.id, atMs, rssBytes: MiB, extras: { events: { max } } }],
      appeared: atMs === 0 ? [one] : [],
      gone: [],
      host: { totalBytes: 1, availableBytes: 1 },
    })
    const decision = decide(memory, { kind: 'interval' }, config([rule({ when })]), atMs)
    memory = decision.memory
    return told(decision)
  }
  assert.equal(look(0, 1000), 'below-threshold', 'what was before does not count')
  assert.equal(look(second, 1002), 'below-threshold')
  assert.equal(look(2 * second, 1003), 'rss-high of 1')
  assert.equal(look(30 * second, 1003), 'rss-high of 1')
  assert.equal(look(62 * second, 1003), 'below-threshold', 'the window has gone by')
})

const rss = (mib: number): LevelCondition => ({
  kind: 'rss',
  aboveBytes: mib * MiB,
  clearBelowBytes: mib * MiB * 0.9,
})
const age: LevelCondition = { kind: 'age', aboveMs: minute }

test('all: fires when everything is so, tells what decided, and waits for what cannot be read', () => {
  const when: Condition = { kind: 'all', conditions: [rss(30), age] }
  assert.equal(firesOn(when, { ageMs: 2 * minute }), 'rss-high of 1')
  assert.equal(firesOn(when, { ageMs: 0 }), 'below-threshold')
  assert.equal(firesOn(when, { ageMs: 2 * minute }, 50, 20), 'below-threshold')
  assert.equal(firesOn(when, undefined), 'not-told')
  const today = day({
    kind: 'all',
    conditions: [rss(100), { kind: 'limit', aboveShare: 0.1, clearBelowShare: 0.05 }],
  })
  const { verdict } = today.see(0, [[one, 110, limitOf(1000, 900)]])
  assert.ok(verdict.kind === 'capture')
  assert.deepEqual([verdict.fired.kind, verdict.fired.threshold], ['rss', 100 * MiB])
})

test('all: captured, it may fire again when one of them is clear', () => {
  const today = day({
    kind: 'all',
    conditions: [rss(100), { kind: 'limit', aboveShare: 0.5, clearBelowShare: 0.4 }],
  })
  const look = (atMs: number, rssMiB: number, usedMiB: number): string =>
    told(today.capture(atMs, [[one, rssMiB, limitOf(1000, usedMiB)]]))
  assert.equal(look(0, 110, 600), 'rss-high of 1')
  assert.equal(look(second, 95, 600), 'latched')
  assert.equal(look(2 * second, 95, 300), 'below-threshold')
  assert.equal(look(3 * second, 110, 600), 'rss-high of 1')
})

test('any: fires when one is so, and is clear when all are', () => {
  const when: Condition = { kind: 'any', conditions: [rss(30), age] }
  assert.equal(firesOn(when, { ageMs: 2 * minute }, 50, 20), 'rss-high of 1')
  assert.equal(firesOn(when, undefined), 'rss-high of 1')
  assert.equal(firesOn(when, { ageMs: 0 }, 50, 20), 'below-threshold')
  const today = day({
    kind: 'any',
    conditions: [rss(100), { kind: 'limit', aboveShare: 0.5, clearBelowShare: 0.4 }],
  })
  const look = (atMs: number, rssMiB: number, usedMiB: number): string =>
    told(today.capture(atMs, [[one, rssMiB, limitOf(1000, usedMiB)]]))
  assert.equal(look(0, 110, 300), 'rss-high of 1')
  assert.equal(look(second, 80, 450), 'latched')
  assert.equal(look(2 * second, 80, 300), 'below-threshold')
})
