import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyse } from '../../src/analyse/analyse.ts'
import { compareSites } from '../../src/analyse/compare-sites.ts'
import type { AllocationSite, Allocations, Dump } from '../../src/model.ts'
import { MiB, makeDump, makeOwner } from './make-dump.ts'

const site = (file: string, line: number, bytes: number): AllocationSite => ({
  bytes,
  count: bytes / 1000,
  frames: [
    { file, line },
    { file: '/srv/shop/main.py', line: 1 },
  ],
})
const allocations = (...sites: readonly AllocationSite[]): Allocations => ({
  bytes: sites.reduce((sum, { bytes }) => sum + bytes, 0),
  count: 10,
  frames: 2,
  overheadBytes: MiB,
  sites,
})
const cache = (bytes: number): AllocationSite => site('/srv/shop/app/cache.py', 41, bytes)
const parse = (bytes: number): AllocationSite => site('/srv/shop/app/parse.py', 7, bytes)

const grown = (now: Allocations, before?: Allocations): unknown =>
  compareSites(now, before)?.map(({ frames, grownBytes, grownCount }) => [
    frames[0]?.line,
    grownBytes,
    grownCount,
  ])

test('sites are the same by the line that allocated, and come by growth', () => {
  const now = allocations(parse(90_000), cache(50_000))
  assert.deepEqual(grown(now, allocations(parse(80_000), cache(10_000))), [
    [41, 40_000, 40],
    [7, 10_000, 10],
  ])
})

test('a site that was not there has grown by all of it', () => {
  assert.deepEqual(grown(allocations(cache(5000)), allocations()), [[41, 5000, 5]])
})

test('without sites in the baseline they come by size, and nothing is said of growth', () => {
  assert.deepEqual(grown(allocations(cache(5000), parse(9000))), [
    [7, undefined, undefined],
    [41, undefined, undefined],
  ])
  assert.equal(compareSites(undefined, allocations()), undefined)
})

const dumpOf = (sizeMiB: number, sites?: Allocations): Dump =>
  makeDump({
    rssBytes: (sizeMiB + 50) * MiB,
    census: {
      bytes: sizeMiB * MiB,
      owners: [makeOwner({ bytes: sizeMiB * MiB })],
      ...(sites === undefined ? {} : { allocations: sites }),
    },
  })
const evidenceOf = (now: Dump, before?: Dump): string =>
  analyse(now, before).suspects[0]?.evidence.join('\n') ?? 'nobody'

test('the line that explains what a suspect has grown by is named with it', () => {
  const evidence = evidenceOf(
    dumpOf(300, allocations(cache(290 * MiB), parse(10 * MiB))),
    dumpOf(100, allocations(cache(90 * MiB))),
  )
  assert.match(evidence, /allocated at app\/cache\.py:41 \(200 MiB\)$/)
})

test('so is one since tracemalloc runs, where the baseline has none', () => {
  const evidence = evidenceOf(dumpOf(300, allocations(cache(150 * MiB))), dumpOf(100))
  assert.match(evidence, /allocated at app\/cache\.py:41 \(150 MiB since tracemalloc runs\)$/)
})

test('what tracemalloc itself needs is told apart, and is no native leak', () => {
  const sites = { ...allocations(cache(60 * MiB)), overheadBytes: 150 * MiB }
  const at = (rssBytes: number, bytes: number, traced?: Allocations): Dump =>
    makeDump({
      rssBytes,
      status: { RssAnon: `${rssBytes / 1024} kB` },
      census: { bytes, ...(traced === undefined ? {} : { allocations: traced }) },
    })
  const { verdict, reconciliation } = analyse(at(320 * MiB, 160 * MiB, sites), at(100 * MiB, 90 * MiB))
  assert.equal(verdict, 'python-objects')
  assert.ok(
    reconciliation.rows.some(({ what, bytes }) => /tracemalloc/.test(what) && bytes === 150 * MiB + 320),
  )
})

for (const [what, sites] of [
  ['a line that has too little', [cache(50 * MiB)]],
  ['a line that has more than the suspect', [cache(900 * MiB)]],
  ['a line with a rival', [cache(150 * MiB), parse(140 * MiB)]],
  ['no line at all', []],
] as const)
  test(`${what} is not named`, () => {
    assert.doesNotMatch(evidenceOf(dumpOf(300, allocations(...sites)), dumpOf(100)), /allocated|nobody/)
  })
