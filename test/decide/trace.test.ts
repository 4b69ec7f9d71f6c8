import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TraceResult, rememberTrace } from '../../src/decide/memory.ts'
import { restore, serialise } from '../../src/decide/saved-state.ts'
import type { DecideConfig, Rule } from '../../src/model.ts'
import { MiB, VirtualDay, config, minute, rule, second, told, watched } from './virtual-day.ts'

const one = watched(1)
const two = watched(2)
const trace = (given: Partial<Rule> = {}): Rule =>
  rule({ name: 'early', action: { kind: 'trace', frames: 5 }, ...given })
const above = (sizeMiB: number): Rule['when'] => ({
  kind: 'rss',
  aboveBytes: sizeMiB * MiB,
  clearBelowBytes: sizeMiB * 0.9 * MiB,
})

/** Traces what is asked for, and tells what it was. */
function act(day: VirtualDay, nowMs: number, rssMiB: number, outcome: TraceResult = 'traced'): string {
  const decision = day.capture(nowMs, [[one, rssMiB]])
  if (decision.verdict.kind === 'trace')
    day.memory = rememberTrace(day.memory, decision.verdict, nowMs, outcome)
  return told(decision)
}

const dayOf = (rules: readonly Rule[], given: Partial<DecideConfig> = {}): VirtualDay =>
  new VirtualDay(config(rules, given))

test('a verdict to trace says for how many calls', () => {
  const { verdict } = dayOf([trace()]).see(0, [[one, 150]])
  assert.deepEqual(verdict, {
    kind: 'trace',
    process: one.id,
    fired: { rule: 'early', kind: 'rss', value: 150 * MiB, threshold: 100 * MiB },
    alsoFired: [],
    frames: 5,
  })
})

test('a trace is latched, and the capture of a later threshold is asked for all the same', () => {
  const day = dayOf([trace(), rule({ name: 'late', when: above(200) })])
  assert.equal(act(day, 0, 150), 'early traces 1')
  assert.equal(act(day, second, 160), 'latched')
  assert.equal(act(day, 2 * second, 210), 'late of 1')
  assert.equal(act(day, 3 * second, 80), 'below-threshold')
  assert.equal(act(day, 4 * second, 150), 'early traces 1')
})

test('where a capture is due, it goes first, and the trace is still due after it', () => {
  const day = dayOf([trace(), rule({ name: 'late' })])
  assert.equal(act(day, 0, 150), 'late of 1')
  assert.equal(act(day, second, 150), 'early traces 1')
})

test('a capture of another process goes before a trace too, however urgent that is', () => {
  const day = dayOf([trace({ when: above(10) }), rule()])
  assert.equal(
    told(
      day.see(0, [
        [one, 99],
        [two, 101],
      ]),
    ),
    'rss-high of 2',
  )
})

test('two rules that trace are answered by one trace, with the more frames', () => {
  const day = dayOf([trace(), trace({ name: 'deep', action: { kind: 'trace', frames: 20 } })])
  const { verdict } = day.see(0, [[one, 150]])
  assert.ok(verdict.kind === 'trace')
  assert.deepEqual([verdict.frames, verdict.alsoFired], [20, ['deep']])
})

test('a trace uses up no quota and is held back by none', () => {
  const once = { perProcess: { max: 1, windowMs: 60 * minute } }
  const day = dayOf(
    [trace(), rule({ name: 'late', when: above(200) }), trace({ name: 'third', when: above(300) })],
    once,
  )
  assert.equal(act(day, 0, 150), 'early traces 1')
  assert.equal(act(day, second, 210), 'late of 1')
  assert.equal(act(day, 2 * second, 310), 'third traces 1')
})

test('a trace is no baseline', () => {
  const day = dayOf([trace()], { baselineAfterMs: minute })
  assert.equal(act(day, 0, 150), 'early traces 1')
  assert.equal(act(day, minute, 150), 'baseline of 1')
})

test('a trace that failed rests, is tried again, and twice in a row begin a quarantine for captures too', () => {
  const day = dayOf([trace({ cooldownMs: minute }), rule({ name: 'late', when: above(200) })], {
    quarantineMs: 60 * minute,
  })
  assert.equal(act(day, 0, 150, 'not-taken'), 'early traces 1')
  assert.equal(act(day, second, 150), 'cooling-down')
  assert.equal(act(day, minute, 150, 'not-taken'), 'early traces 1')
  assert.equal(act(day, minute + second, 210), 'quarantined')
})

test('that a process is traced, and that this was no capture, outlives a restart', () => {
  const rules = [trace({ cooldownMs: minute }), rule({ name: 'late', when: above(200) })]
  const once = { perProcess: { max: 1, windowMs: 60 * minute } }
  const day = dayOf(rules, once)
  act(day, 0, 150)
  const clocks = { nowMs: second, wallMs: 0 }
  const restored = restore(serialise(day.memory, clocks), clocks)
  assert.equal(restored.kind, 'restored')
  const next = dayOf(rules, once)
  next.memory = restored.memory
  assert.equal(act(next, 2 * second, 150), 'latched')
  assert.equal(act(next, 3 * second, 210), 'late of 1')
})
