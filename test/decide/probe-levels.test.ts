import assert from 'node:assert/strict'
import { test } from 'node:test'
import { probeLevels } from '../../src/decide/probe-levels.ts'
import type { Condition, Rule } from '../../src/model.ts'

const MIB = 2 ** 20
const rule = (when: Condition): Rule => ({
  name: 'a',
  targets: ['*'],
  when,
  forMs: 0,
  cooldownMs: 0,
  action: { kind: 'capture', capture: ['census'] },
})
const rss = (mib: number): Rule => rule({ kind: 'rss', aboveBytes: mib * MIB, clearBelowBytes: 0 })
const limit = rule({ kind: 'limit', aboveShare: 0.75, clearBelowShare: 0.7 })
const nightly = rule({ kind: 'schedule', cron: '0 3 * * *' })

const CASES: readonly (readonly [string, readonly Rule[], number, number])[] = [
  ['half of the only threshold', [rss(1536)], 768, 16],
  ['half of the lowest', [rss(4096), rss(200)], 100, 6.25],
  ['64 MiB where the size of a limit is not known yet', [limit, rss(1536)], 64, 4],
  ['less than that where a threshold is lower', [limit, rss(40)], 20, 2],
  ['64 MiB where nothing is said of size', [nightly], 64, 4],
  ['64 MiB without a rule', [], 64, 4],
]
for (const [name, rules, floor, step] of CASES)
  test(`the probe speaks from ${name}`, () =>
    assert.deepEqual(probeLevels(rules), { floorBytes: floor * MIB, stepBytes: step * MIB }))
