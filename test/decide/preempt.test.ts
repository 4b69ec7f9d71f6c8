import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canGiveWay, preempt } from '../../src/decide/preempt.ts'
import type { CaptureRequest } from '../../src/model.ts'
import { config, limitOf, rule, second, VirtualDay, watched } from './virtual-day.ts'

const [large, urgent] = [watched(1), watched(2)]
const big = rule({ name: 'big' })
const nearLimit = rule({
  name: 'near-limit',
  when: { kind: 'limit', aboveShare: 0.75, clearBelowShare: 0.7 },
})
const rules = config([big, nearLimit])

const running = (name: string, more: Partial<CaptureRequest> = {}): CaptureRequest => ({
  kind: 'capture',
  process: large.id,
  fired: { rule: name, kind: 'rss' },
  alsoFired: [],
  capture: ['census'],
  ...more,
})

/** What a look at both makes of a capture that runs. */
const look = (request: CaptureRequest, limit = limitOf(100, 90), process = urgent) => {
  const day = new VirtualDay(rules)
  day.see(0, [
    [large, 50],
    [process, 50, limit],
  ])
  if (!canGiveWay(day.memory, request, rules)) return 'goes on'
  const found = preempt(day.memory, request, rules, second)
  return 'pid' in found ? [found.pid, found.rule] : 'goes on'
}

test('a capture about size gives way to a process that is about to hit its limit', () =>
  assert.deepEqual(look(running('big')), [2, 'near-limit']))

for (const [what, request, limit, process] of [
  ['nobody is near a limit', running('big'), limitOf(100, 10), urgent],
  ['it is about a limit itself', running('near-limit'), undefined, urgent],
  ['it is about a limit too', running('big', { alsoFired: ['near-limit'] }), undefined, urgent],
  ['somebody has asked for it', running('big', { demand: 'd1' }), undefined, urgent],
  ['it is its own process that is near a limit', running('big'), undefined, large],
] as const)
  test(`a capture goes on while ${what}`, () => assert.equal(look(request, limit, process), 'goes on'))

test('a baseline gives way too', () => assert.deepEqual(look(running('baseline')), [2, 'near-limit']))

test('a rule that a pod has of its own counts like one of the config', () => {
  const own = { ...nearLimit, name: 'pod-limit' }
  const pod = watched(2, { rules: { own: [own], instead: ['limit'] } })
  assert.deepEqual(look(running('big'), undefined, pod), [2, 'pod-limit'])
  const day = new VirtualDay(rules)
  day.see(0, [
    [pod, 50],
    [large, 50, limitOf(100, 90)],
  ])
  const itself = { ...running('pod-limit'), process: pod.id }
  assert.ok(!canGiveWay(day.memory, itself, rules))
})
