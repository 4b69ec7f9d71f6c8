import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeWords, durationWords, shareWords, shortName, sizeWords } from '../../src/analyse/words.ts'

const cases: readonly (readonly [string, string])[] = [
  [sizeWords(0), '0 B'],
  [sizeWords(1023), '1023 B'],
  [sizeWords(1024), '1 KiB'],
  [sizeWords(1.42 * 2 ** 30), '1.42 GiB'],
  [sizeWords(1.4 * 2 ** 30), '1.4 GiB'],
  [sizeWords(150 * 2 ** 20), '150 MiB'],
  [sizeWords(100 * 2 ** 20), '100 MiB'],
  [sizeWords(-10 * 2 ** 20), '-10 MiB'],
  [sizeWords(5 * 2 ** 50), '5120 TiB'],
  [changeWords(0), '+0 B'],
  [changeWords(-1), '-1 B'],
  [durationWords(40_000), '40 s'],
  [durationWords(20 * 60_000), '20 min'],
  [durationWords(185 * 60_000), '3 h 5 min'],
  [durationWords(52 * 3_600_000), '2 d 4 h'],
  [shareWords(0.001), 'less than 1 %'],
  [shareWords(0.956), '96 %'],
  [shortName('abcdefghij', 5), 'ab…ij'],
]
for (const [actual, expected] of cases)
  test(`it is said as ${expected}`, () => assert.equal(actual, expected))
