import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyMemory, forget, remember, rememberCapture } from '../../src/decide/memory.ts'
import type { CaptureRequest, Observation, WatchedProcess } from '../../src/model.ts'
import { config, minute, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1)

const observation = (atMs: number, appeared: readonly WatchedProcess[]): Observation => ({
  atMs,
  samples: appeared.map(({ id }) => ({ process: id, atMs, rssBytes: 1 })),
  appeared,
  gone: [],
  host: { totalBytes: 1, availableBytes: 1 },
})

test('remembering makes a new memory and leaves the old one as it was', () => {
  const before = emptyMemory()
  const after = remember(before, observation(0, [one]))
  assert.deepEqual([before.processes.size, after.processes.size], [0, 1])
  assert.deepEqual([forget(after, [one.id]).processes.size, after.processes.size], [0, 1])
})

test('a sample of nobody we know is not remembered', () => {
  assert.equal(remember(emptyMemory(), { ...observation(0, [one]), appeared: [] }).processes.size, 0)
})

test('who appears again after a reload of the config keeps all, under its new target', () => {
  const day = new VirtualDay(config([rule()]))
  day.capture(0, [[one, 150]])
  const renamed = { ...one, target: 'shop' }
  assert.equal(told(day.see(second, [[renamed, 150]])), 'latched')
  assert.equal([...day.memory.processes.values()][0]?.process?.target, 'shop')
})

test('after exec of another program nothing is latched, but what was spent is spent', () => {
  const day = new VirtualDay(config([rule({ cooldownMs: 10 * minute })]))
  day.capture(0, [[one, 150]])
  const other = { ...one, exe: '/opt/python3.12' }
  assert.equal(told(day.see(second, [[other, 150]])), 'cooling-down')
})

test('a capture of a process that ended meanwhile is no error', () => {
  const request: CaptureRequest = {
    kind: 'capture',
    process: one.id,
    fired: { rule: 'rss-high', kind: 'rss' },
    alsoFired: [],
    capture: ['census'],
  }
  assert.equal(rememberCapture(emptyMemory(), request, 0).processes.size, 0)
})

test('a manual capture counts as an attempt and latches nothing', () => {
  const day = new VirtualDay(config([rule()], { perProcess: { max: 1, windowMs: minute } }))
  day.see(0, [[one, 50]])
  const fired = { rule: 'manual', kind: 'manual' } as const
  const request: CaptureRequest = {
    kind: 'capture',
    process: one.id,
    fired,
    alsoFired: [],
    capture: ['census'],
  }
  day.memory = rememberCapture(day.memory, request, 0)
  assert.equal(told(day.see(second, [[one, 150]])), 'process-quota')
  assert.equal(told(day.see(minute, [[one, 150]])), 'rss-high of 1')
})
