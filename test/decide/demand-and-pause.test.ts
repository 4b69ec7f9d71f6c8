import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Demand } from '../../src/model.ts'
import { carryOver, pauseLeftMs } from '../../src/decide/memory.ts'
import { restore, serialise } from '../../src/decide/saved-state.ts'
import { config, MiB, minute, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1, { cgroup: '/system.slice/api.service' })
const two = watched(2, { cgroup: '/system.slice/api.service/worker' })
const three = watched(3, { cgroup: '/system.slice/api.service-else' })
const all = [
  [one, 10],
  [two, 20],
  [three, 30],
] as const

const demand = (process: Demand['process']) =>
  ({ trigger: { kind: 'demand', demand: { id: 'd1', process, capture: ['census'], rule: 'oomd' } } }) as const

test('a demand is captured whatever the rules say, and says whose it is', () => {
  const day = new VirtualDay(config([rule()], { perProcess: { max: 0, windowMs: minute } }))
  const { verdict } = day.see(0, all, demand({ kind: 'pid', pid: 2 }))
  assert.ok(verdict.kind === 'capture')
  assert.deepEqual(
    [verdict.process.pid, verdict.fired, verdict.demand],
    [2, { rule: 'oomd', kind: 'manual' }, 'd1'],
  )
})

test('a demand for a cgroup takes the largest in it or below it, and nobody beside it', () => {
  const day = new VirtualDay(config([]))
  const cgroup = { kind: 'cgroup', cgroup: '/system.slice/api.service' } as const
  assert.equal(told(day.see(0, all, demand(cgroup))), 'oomd of 2')
  const root = { kind: 'cgroup', cgroup: '/' } as const
  assert.equal(told(day.see(second, all, demand(root))), 'oomd of 3')
})

test('a demand for a unit takes the largest of it', () => {
  const day = new VirtualDay(config([]))
  const units = [
    [watched(1, { unit: 'api.service' }), 10],
    [watched(2, { unit: 'api.service' }), 20],
    [watched(3, { unit: 'other.service' }), 30],
  ] as const
  assert.equal(told(day.see(0, units, demand({ kind: 'unit', unit: 'api.service' }))), 'oomd of 2')
})

test('a demand for a pod takes the largest of it, whoever has named its cgroup', () => {
  const uid = '9b2e5c1a-77aa-4c53-9d0e-3f1f8a6b2c01'
  const demanded = demand({ kind: 'pod', uid })
  const slice = `kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`
  for (const pod of [`/kubepods/burstable/pod${uid}`, `/kubepods.slice/kubepods-burstable.slice/${slice}`]) {
    const processes = [
      [watched(1, { cgroup: `${pod}/one` }), 10],
      [watched(2, { cgroup: `${pod}/two` }), 20],
      [watched(3, { cgroup: `/kubepods/pod${uid}0/three` }), 30],
    ] as const
    assert.equal(told(new VirtualDay(config([])).see(0, processes, demanded)), 'oomd of 2')
  }
})

test('a demand for who is not watched, or was not seen now, is none', () => {
  const day = new VirtualDay(config([]))
  assert.equal(told(day.see(0, all, demand({ kind: 'pid', pid: 9 }))), 'nothing')
  assert.equal(told(day.see(second, [[one, 10]], demand({ kind: 'pid', pid: 2 }))), 'nothing')
})

test('a demand goes before a rule that fires, is held back by no quota, and counts as an attempt', () => {
  const day = new VirtualDay(config([rule()], { perProcess: { max: 1, windowMs: minute } }))
  const big = [[one, 150]] as const
  assert.equal(told(day.capture(0, big, demand({ kind: 'pid', pid: 1 }))), 'oomd of 1')
  assert.equal(told(day.capture(second, big, demand({ kind: 'pid', pid: 1 }))), 'oomd of 1')
  assert.equal(told(day.capture(2 * second, big)), 'process-quota')
})

test('while it is paused nothing is captured but what is demanded, and then everything that is owed', () => {
  const day = new VirtualDay(config([rule()], { baselineAfterMs: 0 }))
  const big = [[one, 150]] as const
  assert.equal(told(day.see(0, big, { trigger: { kind: 'pause', forMs: minute } })), 'paused')
  assert.equal(told(day.see(59 * second, big)), 'paused')
  assert.equal(told(day.see(59 * second, big, demand({ kind: 'pid', pid: 1 }))), 'oomd of 1')
  assert.equal(told(day.see(60 * second, big)), 'rss-high of 1')
})

test('a pause ends when somebody ends it, and outlives a restart', () => {
  const day = new VirtualDay(config([rule()]))
  const big = [[one, 150]] as const
  day.see(0, big, { trigger: { kind: 'pause', forMs: minute } })
  const saved = serialise(day.memory, { nowMs: 10 * second, wallMs: 1000 })
  const { memory } = restore(saved, { nowMs: 5, wallMs: 21_000 })
  assert.equal(pauseLeftMs(memory, 5), 30 * second)
  assert.equal(told(day.see(second, big, { trigger: { kind: 'pause', forMs: 0 } })), 'rss-high of 1')
})

test('a state that was saved before pauses were known is read', () => {
  const old = JSON.stringify({ format: 1, savedAtMs: 0, processes: [], targets: [] })
  const restored = restore(old, { nowMs: 0, wallMs: 0 })
  assert.equal(restored.kind, 'restored')
  assert.equal(pauseLeftMs(restored.memory, 0), 0)
})

test('on reload a rule that says the same stays latched, and one that changed begins anew', () => {
  const same = rule({ name: 'same' })
  const before = [same, rule({ name: 'changed' })]
  const changed = rule({
    name: 'changed',
    when: { kind: 'rss', aboveBytes: 120 * MiB, clearBelowBytes: MiB },
  })
  const day = new VirtualDay(config(before))
  const big = [[one, 150]] as const
  day.capture(0, big)
  assert.equal(told(day.see(second, big)), 'latched')
  day.memory = carryOver(day.memory, before, [{ ...same }, changed])
  day.config = config([same, changed])
  const { verdict } = day.see(2 * second, big)
  assert.ok(verdict.kind === 'capture')
  assert.deepEqual([verdict.fired.rule, verdict.alsoFired], ['changed', []])
})
