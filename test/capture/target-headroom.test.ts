import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGateFacts } from '../../src/capture/gate.ts'
import { crowdsTarget, refuseHeadroom } from '../../src/capture/target-headroom.ts'
import type { LimitUse } from '../../src/model.ts'

const MiB = 2 ** 20
const use = (limitMiB: number, usedMiB: number, where = '/api'): LimitUse => ({
  source: 'cgroup',
  limitBytes: limitMiB * MiB,
  usedBytes: usedMiB * MiB,
  where,
})
const facts = parseGateFacts('VmRSS: 600000 kB\n')

test('a service at 95 % of its limit is captured, as long as the clone itself has room', () => {
  assert.equal(refuseHeadroom(facts, [use(600, 570)]), undefined)
  assert.equal(refuseHeadroom(facts, [use(600, 595 - 1)]), undefined)
  assert.equal(refuseHeadroom(facts, []), undefined)
})

test('a clone that could push the service over a limit of any of its cgroups is refused', () => {
  for (const limits of [[use(600, 596)], [use(600, 100), use(1000, 997, '/')], [use(600, 700)]])
    assert.equal(refuseHeadroom(facts, limits)?.reason, 'not-enough-memory')
})

const cases: readonly (readonly [string, LimitUse, LimitUse, number, boolean])[] = [
  ['plenty is left', use(1000, 500), use(1000, 940), 440, false],
  ['it has run short by what the snapshot keeps', use(1000, 500), use(1000, 960), 460, true],
  ['half of what it lost is enough of a share', use(1000, 500), use(1000, 960), 231, true],
  ['it leaks to its death anyway', use(1000, 500), use(1000, 999), 20, false],
  ['it was short before, and has most of that still', use(1000, 980), use(1000, 988), 8, false],
  ['it was short before, and has lost half of that', use(1000, 980), use(1000, 991), 11, true],
  ['5 % of a large limit are more than 32 MiB', use(10_000, 5000), use(10_000, 9600), 4600, true],
]
for (const [name, before, now, heldMiB, isEnded] of cases)
  test(`a snapshot is ${isEnded ? 'ended' : 'kept'} where ${name}`, () => {
    const because = crowdsTarget([before], [now], () => heldMiB * MiB)
    assert.equal(because !== undefined, isEnded, because)
  })

test('what the snapshot keeps is only looked up when the service has run short', () => {
  const never = (): number => assert.fail('a walk through its page tables')
  assert.equal(crowdsTarget([use(1000, 500)], [use(1000, 600)], never), undefined)
  assert.equal(crowdsTarget([], [use(1000, 999)], never), undefined)
})
