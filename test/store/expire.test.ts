import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseExpired, type KeepLimits, type KeptDump } from '../../src/store/expire.ts'

const dump = (id: string, startedMs: number, given: Partial<KeptDump> = {}): KeptDump => ({
  id,
  target: 'api',
  startedMs,
  bytes: 10,
  process: 'p',
  isBaseline: false,
  ...given,
})

type Case = {
  readonly rule: string
  readonly dumps: readonly KeptDump[]
  readonly keep: KeepLimits
  readonly gone: readonly string[]
}

const three = [dump('c', 3), dump('a', 1), dump('b', 2)]
const base = dump('base', 0, { isBaseline: true })

const cases: readonly Case[] = [
  { rule: 'without limits everything stays', dumps: three, keep: {}, gone: [] },
  { rule: 'the oldest go first', dumps: three, keep: { totalBytes: 10 }, gone: ['a', 'b'] },
  { rule: 'what fits exactly stays', dumps: three, keep: { totalBytes: 30 }, gone: [] },
  { rule: 'no more go than must', dumps: three, keep: { totalBytes: 29 }, gone: ['a'] },
  { rule: 'the newest of a target outlives every limit', dumps: three, keep: { ageMs: 1 }, gone: ['a', 'b'] },
  {
    rule: 'the count is kept for each target by itself',
    dumps: [...three, dump('x', 1, { target: 'web' })],
    keep: { perTarget: 1 },
    gone: ['a', 'b'],
  },
  {
    rule: 'the total is taken from all targets, oldest first',
    dumps: [...three, dump('x', 0, { target: 'web' }), dump('y', 2.5, { target: 'web' })],
    keep: { totalBytes: 30 },
    gone: ['x', 'a'],
  },
  {
    rule: "a pinned dump outlives every limit, takes nobody else's place, and its size counts",
    dumps: [dump('pinned', 0, { isPinned: true }), ...three],
    keep: { perTarget: 2, totalBytes: 30 },
    gone: ['a'],
  },
  {
    rule: 'a dump that was not sent yet stays for its age and number',
    dumps: three.map((one) => ({ ...one, isUnsent: true })),
    keep: { perTarget: 1, ageMs: 1 },
    gone: [],
  },
  {
    rule: 'a dump that was not sent yet goes for want of room',
    dumps: three.map((one) => ({ ...one, isUnsent: true })),
    keep: { totalBytes: 29 },
    gone: ['a'],
  },
  {
    rule: 'a baseline stays while a later dump of its process does',
    dumps: [base, ...three],
    keep: { perTarget: 2 },
    gone: ['a', 'b'],
  },
  {
    rule: 'a baseline whose process has no other dump goes like any other',
    dumps: [base, dump('a', 1, { process: 'q' }), dump('b', 2, { process: 'q' })],
    keep: { perTarget: 2 },
    gone: ['base'],
  },
  {
    rule: 'only the newest baseline of a process is needed',
    dumps: [base, dump('base2', 0.5, { isBaseline: true }), ...three],
    keep: { perTarget: 4 },
    gone: ['base'],
  },
  {
    rule: 'a baseline later than every dump explains none of them',
    dumps: [dump('a', 1), dump('late', 2, { isBaseline: true }), dump('n', 3, { process: 'q' })],
    keep: { perTarget: 1 },
    gone: ['a', 'late'],
  },
  {
    rule: 'the last dump that a baseline explains sets it free',
    dumps: [base, dump('a', 1), dump('n', 9, { process: 'q' })],
    keep: { perTarget: 1 },
    gone: ['a', 'base'],
  },
]
for (const { rule, dumps, keep, gone } of cases) {
  test(rule, () => {
    assert.deepEqual(
      chooseExpired(dumps, keep, 10).map(({ id }) => id),
      gone,
    )
  })
}
