import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatDuration,
  formatPercent,
  formatRate,
  formatSize,
  parseDuration,
  parsePercent,
  parseRate,
  parseSize,
} from '../../src/config/units.ts'
import type { Parsed } from '../../src/config/units.ts'

type Parse = (input: unknown) => Parsed

const MiB = 1024 ** 2
const GiB = 1024 ** 3

const READ: readonly (readonly [Parse, string, number])[] = [
  [parseSize, '0B', 0],
  [parseSize, '512MiB', 512 * MiB],
  [parseSize, '1.5GiB', 1.5 * GiB],
  [parseSize, '2TiB', 2 * 1024 ** 4],
  [parseSize, '10GB', 10_000_000_000],
  [parseSize, '0.001KB', 1],
  [parseDuration, '0s', 0],
  [parseDuration, '500ms', 500],
  [parseDuration, '1h30m', 5_400_000],
  [parseDuration, '1.5h', 5_400_000],
  [parseDuration, '14d', 14 * 86_400_000],
  [parsePercent, '75%', 0.75],
  [parsePercent, '12.5%', 0.125],
  [parseRate, '60KiB/m', (60 * 1024) / 60_000],
  [parseRate, '1MB/s', 1000],
]

for (const [parse, text, value] of READ) {
  test(`${text} is ${value}`, () => {
    assert.deepEqual(parse(text), { kind: 'parsed', value })
  })
}

const REFUSED: readonly (readonly [Parse, unknown, RegExp])[] = [
  [parseSize, 1500, /^1500 has no unit: write 1500MiB, 1\.5GiB/],
  [parseSize, '1500', /^1500 has no unit/],
  [parseSize, '512M', /write 512MiB .* or 512MB/],
  [parseSize, '1.5 gib', /write 1\.5GiB/],
  [parseSize, '-1GiB', /is no size/],
  [parseSize, '1.5B', /is no size/],
  [parseSize, '1GiB\n', /is no size/],
  [parseSize, '9'.repeat(15) + 'TiB', /too large/],
  [parseSize, '1'.repeat(100_000), /is no size/],
  [parseSize, ['1GiB'], /^a list is no size/],
  [parseSize, true, /^true is no size/],
  [parseDuration, 10, /^10 has no unit: write 10s/],
  [parseDuration, '10 sec', /is no duration/],
  [parseDuration, 'h', /is no duration/],
  [parseDuration, '1h'.repeat(50), /is no duration/],
  [parsePercent, 75, /^75 has no unit: write 75%$/],
  [parsePercent, 0.75, /^0\.75 has no unit: write 75%$/],
  [parsePercent, '75', /has no unit/],
  [parseRate, 5, /^5 has no unit: write 5MiB\/m/],
  [parseRate, '1MiB', /is no rate/],
  [parseRate, '1MiB/min', /is no rate/],
]

for (const [parse, input, message] of REFUSED) {
  test(`${parse.name} refuses ${JSON.stringify(input).slice(0, 30)} and says what to write`, () => {
    const parsed = parse(input)
    assert.equal(parsed.kind, 'invalid')
    assert.match(parsed.kind === 'invalid' ? parsed.message : '', message)
  })
}

const SHOWN: readonly (readonly [string, string])[] = [
  [formatSize(0), '0B'],
  [formatSize(1023), '1023B'],
  [formatSize(1.5 * GiB), '1.5GiB'],
  [formatSize(10_000_000_000), '10GB'],
  [formatDuration(0), '0s'],
  [formatDuration(5_400_000), '1h30m'],
  [formatDuration(86_400_001), '1d1ms'],
  [formatPercent(0.675), '67.5%'],
  [formatRate(MiB / 60_000), '1MiB/m'],
  [formatRate(1000), '1MB/s'],
]

for (const [shown, expected] of SHOWN) {
  test(`${expected} is how it is shown`, () => {
    assert.equal(shown, expected)
  })
}

test('what is shown is read back as the same number', () => {
  // Steps that are no power of two or ten, so that odd numbers come up in every unit.
  for (let value = 1; value < 1e14; value = Math.ceil(value * 1.37)) {
    assert.deepEqual(parseSize(formatSize(value)), { kind: 'parsed', value })
    assert.deepEqual(parseDuration(formatDuration(value)), { kind: 'parsed', value })
    for (const perMs of [1000, 60_000, 3_600_000, 86_400_000]) {
      assert.deepEqual(parseRate(formatRate(value / perMs)), { kind: 'parsed', value: value / perMs })
    }
  }
  for (let thousandths = 0; thousandths <= 100_000; thousandths += 7) {
    const value = thousandths / 1000 / 100
    assert.deepEqual(parsePercent(formatPercent(value)), { kind: 'parsed', value })
  }
})

test('a measured rate is shown to the nearest byte a day', () => {
  const shown = parseRate(formatRate(Math.PI))
  assert.ok(shown.kind === 'parsed' && Math.abs(shown.value - Math.PI) < 1e-8)
})
