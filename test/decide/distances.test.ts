import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureDistances } from '../../src/decide/distances.ts'
import { emptyMemory, remember } from '../../src/decide/memory.ts'
import { limitOf, MiB, minute, rule, second, watched } from './virtual-day.ts'

const above = (mib: number) => ({
  kind: 'rss' as const,
  aboveBytes: mib * MiB,
  clearBelowBytes: mib * MiB * 0.9,
})
const rules = [
  rule({ name: 'far', when: above(1000) }),
  rule({ name: 'near', when: above(200) }),
  rule({ name: 'not meant', targets: ['somebody else'], when: above(1) }),
  rule({ name: 'at night', when: { kind: 'schedule', cron: '0 3 * * *' } }),
  rule({
    name: 'unknown yet',
    when: { kind: 'growth', aboveBytesPerMs: 1, clearBelowBytesPerMs: 1, windowMs: 60 * minute },
  }),
]

/** One process that grows by 1 MiB a second towards a limit of 300 MiB. */
function growFor(seconds: number) {
  let memory = emptyMemory()
  for (let at = 0; at <= seconds; at++) {
    const rssMiB = 100 + at
    const sample = {
      process: watched(1).id,
      atMs: at * second,
      rssBytes: rssMiB * MiB,
      limit: limitOf(300, rssMiB),
    }
    memory = remember(memory, {
      atMs: at * second,
      samples: [sample],
      appeared: at === 0 ? [watched(1)] : [],
      gone: [],
      host: { totalBytes: 0, availableBytes: 0 },
    })
  }
  return measureDistances(memory, { rules }, seconds * second, minute)
}

test('the nearest rule comes first, and rules of others and schedules do not come', () => {
  const [standing] = growFor(0)
  assert.deepEqual(
    standing?.distances.map(({ rule: { name }, reading }) => [
      name,
      reading.kind === 'value' ? reading.need : reading.reason,
    ]),
    [
      ['near', 0.5],
      ['far', 0.1],
      ['unknown yet', 'not-enough-samples'],
    ],
  )
  assert.deepEqual([standing?.growthBytesPerMs, standing?.leftMs], [undefined, undefined])
})

test('growth tells how long it takes to the limit', () => {
  const [standing] = growFor(60)
  assert.equal(Math.round(((standing?.growthBytesPerMs ?? 0) * second) / MiB), 1)
  assert.equal(Math.round((standing?.leftMs ?? 0) / second), 140)
})
