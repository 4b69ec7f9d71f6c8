import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatBytes,
  formatChange,
  formatCount,
  formatDuration,
  formatShare,
} from '../../src/report/format.ts'

const cases: readonly (readonly [string, string])[] = [
  [formatBytes(0), '0 B'],
  [formatBytes(1023), '1023 B'],
  [formatBytes(1.4 * 2 ** 30), '1.4 GiB'],
  [formatBytes(1.42 * 2 ** 30), '1.42 GiB'],
  [formatBytes(100 * 2 ** 20), '100 MiB'],
  [formatBytes(-2048), '-2 KiB'],
  [formatBytes(5 * 2 ** 50), '5120 TiB'],
  [formatCount(2_104_882), '2,104,882'],
  [formatChange(2048, formatBytes), '+2 KiB'],
  [formatChange(0, formatCount), '0'],
  [formatChange(-3, formatCount), '-3'],
  [formatDuration(0.24), '0.2 ms'],
  [formatDuration(31.4), '31 ms'],
  [formatDuration(4200), '4.2 s'],
  [formatDuration(90_000), '90 s'],
  [formatDuration(20 * 60_000), '20 min'],
  [formatDuration(185 * 60_000), '3 h 5 min'],
  [formatDuration(52 * 3_600_000), '2 d 4 h'],
  [formatShare(0), '0 %'],
  [formatShare(0.004), '<1 %'],
  [formatShare(0.956), '96 %'],
]
for (const [actual, expected] of cases) test(`is shown as ${expected}`, () => assert.equal(actual, expected))
