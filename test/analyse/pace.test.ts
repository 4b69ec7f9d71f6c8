import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measurePace, type Pace } from '../../src/analyse/pace.ts'
import type { RssPoint } from '../../src/model.ts'
import { MiB } from './make-dump.ts'

const points = (...pairs: readonly (readonly [number, number])[]): readonly RssPoint[] =>
  pairs.map(([secondsAgo, mebibytes]) => ({ secondsAgo, rssBytes: mebibytes * MiB }))

const cases: readonly (readonly [string, readonly RssPoint[], Pace | undefined])[] = [
  ['no history has no pace', [], undefined],
  ['a few seconds are no trend', points([5, 100], [0, 200]), undefined],
  [
    'growth is told per minute, in whatever order the points come',
    points([0, 160], [60, 100], [30, 130]),
    { kind: 'moving', bytesPerMinute: 60 * MiB, overMs: 60_000 },
  ],
  [
    'the last ten minutes count, not the calm before',
    points([3600, 100], [600, 100], [0, 200]),
    { kind: 'moving', bytesPerMinute: 10 * MiB, overMs: 600_000 },
  ],
  [
    'growth too slow for ten minutes shows over the whole history',
    points([3600, 1000], [600, 1057], [0, 1060]),
    { kind: 'moving', bytesPerMinute: MiB, overMs: 3_600_000 },
  ],
  ['a jitter is flat', points([900, 1000], [300, 1003], [0, 1001]), { kind: 'flat', overMs: 900_000 }],
  [
    'shrinking is a pace too',
    points([60, 200], [0, 100]),
    { kind: 'moving', bytesPerMinute: -100 * MiB, overMs: 60_000 },
  ],
]
for (const [rule, history, expected] of cases) {
  test(rule, () => assert.deepEqual(measurePace(history), expected))
}
