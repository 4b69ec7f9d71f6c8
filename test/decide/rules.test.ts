import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LevelCondition, LimitUse } from '../../src/model.ts'
import { config, limitOf, MiB, minute, rule, second, told, VirtualDay, watched } from './virtual-day.ts'

const one = watched(1)

const growing = (when: LevelCondition, mibPerMinute: number, limit?: (rssMiB: number) => LimitUse) => {
  const day = new VirtualDay(config([rule({ name: 'it', when })]))
  const turns: string[] = []
  for (let at = 0; at <= 20 * minute; at += 10 * second) {
    const rssMiB = 100 + (at / minute) * mibPerMinute
    turns.push(told(day.capture(at, [limit === undefined ? [one, rssMiB] : [one, rssMiB, limit(rssMiB)]])))
  }
  return { day, turns: turns.filter((turn, index) => turn !== turns[index - 1]) }
}

const slow: LevelCondition = {
  kind: 'growth',
  aboveBytesPerMs: MiB / minute,
  clearBelowBytesPerMs: MiB / 2 / minute,
  windowMs: 10 * minute,
}

test('growth fires when half the window shows it', () => {
  assert.deepEqual(growing(slow, 2).turns, ['not-enough-samples', 'it of 1', 'latched'])
})

test('slower growth does not', () => {
  assert.deepEqual(growing(slow, 0.9).turns, ['not-enough-samples', 'below-threshold'])
})

test('growth that stops clears its latch, and growth that begins again fires again', () => {
  const { day } = growing(slow, 2)
  const turns: string[] = []
  for (let at = 21 * minute; at <= 60 * minute; at += 10 * second) {
    const rssMiB = at < 40 * minute ? 140 : 140 + 2 * (at / minute - 40)
    turns.push(told(day.capture(at, [[one, rssMiB]])))
  }
  assert.deepEqual(
    turns.filter((turn, index) => turn !== turns[index - 1]),
    ['latched', 'below-threshold', 'it of 1', 'latched'],
  )
})

const willHit: LevelCondition = {
  kind: 'time-to-limit',
  belowMs: 2 * minute,
  clearAboveMs: 4 * minute,
  windowMs: 10 * minute,
}
const within200 = (rssMiB: number) => limitOf(200, rssMiB)

test('time to limit is the room left over the growth', () => {
  // 100 MiB of room at 10 MiB a minute: two minutes are left after eight.
  const { turns } = growing(willHit, 10, within200)
  assert.deepEqual(turns, ['not-enough-samples', 'below-threshold', 'it of 1', 'latched'])
  const day = new VirtualDay(config([rule({ name: 'it', when: willHit })]))
  let firedAt = 0
  for (let at = 0; firedAt === 0 && at <= 20 * minute; at += 10 * second) {
    const rssMiB = 100 + (at / minute) * 10
    if (day.see(at, [[one, rssMiB, within200(rssMiB)]]).verdict.kind === 'capture') firedAt = at
  }
  assert.equal(firedAt, 8 * minute + 10 * second)
})

test('who does not grow never hits the limit', () => {
  assert.deepEqual(growing(willHit, 0, () => limitOf(200, 199)).turns, [
    'not-enough-samples',
    'below-threshold',
  ])
})

test('who grows beyond the limit has no time left', () => {
  const { turns } = growing(willHit, 1, () => limitOf(50, 60))
  assert.deepEqual(turns, ['not-enough-samples', 'it of 1', 'latched'])
})

test('without a limit there is no time to it', () => {
  assert.deepEqual(growing(willHit, 1).turns, ['not-enough-samples', 'no-limit'])
})

test('a limit of nothing is none', () => {
  const share: LevelCondition = { kind: 'limit', aboveShare: 0.5, clearBelowShare: 0.4 }
  assert.deepEqual(growing(share, 1, () => limitOf(0, 1)).turns, ['no-limit'])
})
