import assert from 'node:assert/strict'
import { test } from 'node:test'
import { carryOver } from '../../src/decide/memory.ts'
import { measureDistances } from '../../src/decide/distances.ts'
import { explain } from '../../src/decide/explain.ts'
import { isNear } from '../../src/decide/is-near.ts'
import { mayRest } from '../../src/decide/may-rest.ts'
import { probeLevels } from '../../src/decide/probe-levels.ts'
import { heldRules, rulesFor } from '../../src/decide/rules-for.ts'
import { restore, serialise } from '../../src/decide/saved-state.ts'
import type { OwnRules, Rule, Sample, WatchedProcess } from '../../src/model.ts'
import { config, MiB, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

const rss = (aboveMiB: number) =>
  ({ kind: 'rss', aboveBytes: aboveMiB * MiB, clearBelowBytes: aboveMiB * MiB * 0.9 }) as const

const podRss = (aboveMiB: number): OwnRules => ({
  own: [rule({ name: 'pod-rss', when: rss(aboveMiB) })],
  instead: ['rss', 'steps', 'ratchet'],
})

const rules: readonly Rule[] = [
  rule({ name: 'rss-high', when: rss(100) }),
  rule({ name: 'steps', when: { kind: 'steps', bytes: [100 * MiB] } }),
  rule({ name: 'trace-early', when: rss(50), action: { kind: 'trace', frames: 5 } }),
  rule({ name: 'both', when: { kind: 'all', conditions: [rss(100), { kind: 'age', aboveMs: 1 }] } }),
  rule({ name: 'near-limit', when: { kind: 'limit', aboveShare: 0.8, clearBelowShare: 0.7 } }),
  rule({ name: 'elsewhere', targets: ['elsewhere'] }),
]

const namesFor = (process: WatchedProcess): readonly string[] =>
  rulesFor(process, rules).map(({ name }) => name)

test('rules of a pod hold in place of the plain ones of their kind that capture, and nothing else changes', () => {
  assert.deepEqual(namesFor(watched(1)), ['rss-high', 'steps', 'trace-early', 'both', 'near-limit'])
  assert.deepEqual(namesFor({ ...watched(1), rules: podRss(500) }), [
    'trace-early',
    'both',
    'near-limit',
    'pod-rss',
  ])
})

test('what holds is worked out once', () => {
  const own = { ...watched(1), rules: podRss(500) }
  assert.equal(heldRules(own, rules), heldRules(own, rules))
  assert.equal(heldRules(watched(1), rules), heldRules(watched(2), rules), 'once for a target')
  assert.notEqual(heldRules(own, [...rules]), heldRules(own, rules))
})

test('growth is measured over the windows of what holds', () => {
  const growth = (windowMs: number) =>
    ({ kind: 'growth', aboveBytesPerMs: 1, clearBelowBytesPerMs: 1, windowMs }) as const
  const some = [rule({ name: 'slow', when: growth(60_000) }), rule({ name: 'other', when: growth(60_000) })]
  const own = { own: [rule({ name: 'pod-growth', when: growth(1000) })], instead: ['growth'] as const }
  assert.deepEqual(heldRules(watched(1), some).windowsMs, [60_000])
  assert.deepEqual(heldRules({ ...watched(1), rules: own }, some).windowsMs, [1000])
})

const settings = config([rule({ name: 'rss-high', when: rss(100) })])
const own = { ...watched(1), rules: podRss(500) }

test('a pod with a threshold of its own is captured at that, its neighbour at the config’s', () => {
  const day = new VirtualDay(settings)
  assert.equal(told(day.capture(0, [[own, 300]])), 'below-threshold')
  const both = [
    [own, 300],
    [watched(2), 300],
  ] as const
  assert.equal(told(day.capture(second, [...both])), 'rss-high of 2')
  assert.equal(told(day.capture(2 * second, [[own, 600]])), 'pod-rss of 1')
})

test('explain, ps, rests and closer looks go by the same rules', () => {
  const day = new VirtualDay(settings)
  day.see(0, [[own, 450]])
  assert.deepEqual(
    explain(day.memory, own.id, settings, 0).map(({ rule: { name } }) => name),
    ['pod-rss'],
  )
  assert.deepEqual(
    measureDistances(day.memory, settings, 0, 1000).flatMap(({ distances }) =>
      distances.map(({ rule: { name } }) => name),
    ),
    ['pod-rss'],
  )
  const sample = (mib: number): Sample => ({ process: own.id, atMs: 0, rssBytes: mib * MiB })
  assert.deepEqual(
    [isNear(sample(450), own, settings.rules), isNear(sample(300), own, settings.rules)],
    [true, false],
  )
  assert.equal(isNear(sample(300), watched(1), settings.rules), true)
  assert.deepEqual(
    [mayRest(sample(450), own, settings.rules, true), mayRest(sample(300), own, settings.rules, true)],
    [false, true],
  )
})

test('where pods may have thresholds the probe begins as low as without any', () => {
  const high = [rule({ when: rss(8192) })]
  assert.equal(probeLevels(high).floorBytes, 4096 * MiB)
  assert.equal(probeLevels(high, true).floorBytes, 64 * MiB)
  assert.equal(probeLevels([rule({ when: rss(20) })], true).floorBytes, 10 * MiB)
})

test('a pod that was captured stays so over a restart, though its annotations are told later', () => {
  const day = new VirtualDay(settings)
  day.capture(0, [[own, 600]])
  const saved = serialise(day.memory, { nowMs: 0, wallMs: 0 })
  const restored = restore(saved, { nowMs: 0, wallMs: 0 })
  day.memory = restored.memory
  day.see(second, [[watched(1), 50]])
  assert.equal(told(day.see(2 * second, [[own, 600]])), 'latched')
})

test('a reload of the config leaves rules of pods as they were, a new threshold does not', () => {
  const day = new VirtualDay(settings)
  day.capture(0, [[own, 600]])
  day.memory = carryOver(day.memory, settings.rules, [])
  assert.equal(told(day.see(second, [[own, 600]])), 'latched')
  assert.equal(told(day.see(2 * second, [[{ ...own, rules: podRss(500) }, 600]])), 'latched')
  assert.notEqual(told(day.see(3 * second, [[{ ...own, rules: podRss(400) }, 600]])), 'latched')
})
