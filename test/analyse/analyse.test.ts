import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyse } from '../../src/analyse/analyse.ts'
import { calm, catalog } from './calm-dump.ts'
import { gcOn, makeDump, makeOwner, MiB, rssStatus, typeRow } from './make-dump.ts'

const connections = makeOwner({
  scope: 'shop.broker',
  path: 'POOL._dirty',
  type: 'set',
  entries: 1200,
  entryTypes: [{ type: '__main__.Connection', count: 1200 }],
  bytes: 150 * MiB,
  types: [typeRow('array.array', 1200, 147 * MiB), typeRow('__main__.Connection', 1200, MiB)],
})
const leaking = makeDump({
  rssBytes: 252 * MiB,
  status: rssStatus(242 * MiB, 10 * MiB, 0),
  history: [
    { secondsAgo: 600, rssBytes: 102 * MiB },
    { secondsAgo: 0, rssBytes: 252 * MiB },
  ],
  census: {
    bytes: 229 * MiB,
    owners: [catalog, connections],
    types: [typeRow('array.array', 1302, 149 * MiB), typeRow('dict', 50_000, 40 * MiB)],
  },
})

test('against a baseline the headline says how big, how fast, what grew and who holds it', () => {
  const { headline, verdict } = analyse(leaking, calm)
  assert.equal(verdict, 'python-objects')
  assert.equal(
    headline,
    'RSS 252 MiB, +152 MiB since baseline 20 min ago, +15 MiB/min over the last 10 min; ' +
      'Python objects explain 98 % of the growth, most of all array.array (+147 MiB). ' +
      'module shop.broker: POOL._dirty (set, 1,200 entries of Connection) keeps 150 MiB, mostly array.array.',
  )
})

test('growth outranks size: the larger healthy owner is not named', () => {
  const { suspects } = analyse(leaking, calm)
  assert.deepEqual(
    suspects.map(({ title, grownBytes, confidence }) => [title.split(' (')[0], grownBytes, confidence]),
    [['module shop.broker: POOL._dirty', 149 * MiB, 'high']],
  )
})

test('without a baseline the largest is named as just that, and nothing is called a leak', () => {
  const findings = analyse(leaking)
  assert.match(findings.headline, /largest, with no earlier dump to compare with: module shop\.broker/)
  assert.deepEqual(
    findings.suspects.map(({ grownBytes, confidence }) => [grownBytes, confidence]),
    [[undefined, 'medium']],
  )
  assert.doesNotMatch(JSON.stringify([findings, analyse(leaking, calm)]), /leak/i)
})

test('a process that has not grown accuses nobody', () => {
  const { verdict, suspects, headline } = analyse(
    { ...leaking, manifest: { ...leaking.manifest, rss_bytes: 104 * MiB } },
    calm,
  )
  assert.deepEqual([verdict, suspects], ['no-growth', []])
  assert.match(headline, /^RSS 104 MiB, \+4 MiB since baseline 20 min ago.*: no growth to explain\.$/)
})

test('a long flat history accuses nobody either when there is no baseline', () => {
  const history = [0, 300, 700].map((secondsAgo) => ({ secondsAgo, rssBytes: 252 * MiB }))
  const flat = { ...leaking, outside: { ...leaking.outside, history } }
  assert.deepEqual([analyse(flat).verdict, analyse(flat).suspects], ['no-growth', []])
})

test('what grew and went into swap is growth', () => {
  const swapped = makeDump({
    rssBytes: 100 * MiB,
    status: { ...rssStatus(90 * MiB, 10 * MiB, 0), VmSwap: `${150 * 1024} kB` },
    census: { bytes: 229 * MiB, owners: [connections] },
  })
  const { verdict, headline } = analyse(swapped, calm)
  assert.equal(verdict, 'python-objects')
  assert.match(headline, /\+150 MiB with swap since baseline/)
})

test('objects that nobody holds are named as unreachable, with the collector switched off as the reason', () => {
  const cycles = 'reference cycles that no root leads to'
  const garbage = { kind: 'unreachable', scope: cycles, type: '', objects: 4000 } as const
  const dump = makeDump({
    rssBytes: 250 * MiB,
    status: rssStatus(240 * MiB, 10 * MiB, 0),
    census: {
      bytes: 225 * MiB,
      gc: { ...gcOn, enabled: false },
      owners: [
        catalog,
        makeOwner({ ...garbage, path: 'RequestContext <-> Response', bytes: 140 * MiB }),
        makeOwner({ ...garbage, path: 'Response <-> dict', bytes: 6 * MiB }),
      ],
    },
  })
  const [suspect, ...others] = analyse(dump, calm).suspects
  assert.equal(suspect?.kind, 'unreachable')
  assert.equal(
    suspect?.title,
    'unreachable cycles RequestContext <-> Response <-> dict: 8,000 objects, 146 MiB; automatic gc is DISABLED',
  )
  assert.deepEqual(others, [])
})

for (const [what, notes] of [
  ['a queue', ['deque maxlen=500']],
  ['a cache of the program', ['bounded: capacity=505']],
] as const)
  test(`${what} that is bounded and full explains growth and is no leak`, () => {
    const owners = [makeOwner({ path: 'RECENT', entries: 500, notes, bytes: 190 * MiB })]
    const dump = makeDump({ rssBytes: 252 * MiB, census: { bytes: 230 * MiB, owners } })
    const { verdict, suspects, headline } = analyse(dump, calm)
    assert.equal(verdict, 'no-growth')
    assert.deepEqual(suspects, [])
    assert.match(
      headline,
      /: no leak\. \+190 MiB went into caches that are bounded and are full now, or nearly\.$/,
    )
  })

test('beside a leak what is full is not accused, and what is bounded and not full may be', () => {
  const full = makeOwner({ path: 'RECENT', entries: 500, notes: ['bounded: limit=500'], bytes: 60 * MiB })
  const filling = makeOwner({ path: 'PAGES', entries: 300, notes: ['bounded: limit=500'], bytes: 40 * MiB })
  const owners = [connections, full, filling]
  const dump = makeDump({ rssBytes: 352 * MiB, census: { bytes: 330 * MiB, owners } })
  const { verdict, suspects } = analyse(dump, calm)
  assert.equal(verdict, 'python-objects')
  assert.ok(suspects.some(({ title }) => title.includes('PAGES')))
  assert.ok(suspects.every(({ title }) => !title.includes('RECENT')))
})

test('without a census the headline says why and what the kernel still knows', () => {
  const dump = makeDump({
    rssBytes: 250 * MiB,
    census: null,
    status: rssStatus(90 * MiB, 10 * MiB, 150 * MiB),
    manifest: { failure: { reason: 'not-permitted', detail: 'ptrace is not allowed' } },
  })
  const { verdict, headline } = analyse(dump, calm)
  assert.equal(verdict, 'shared-memory')
  assert.match(headline, /There is no census \(not-permitted: ptrace is not allowed\)\.$/)
})

test('half a census is not compared, and its suspects are doubtful', () => {
  const half = makeDump({
    rssBytes: 250 * MiB,
    census: { complete: false, bytes: 60 * MiB, owners: [connections] },
  })
  const { suspects, headline, types } = analyse(half, calm)
  assert.deepEqual(
    suspects.map(({ confidence, grownBytes }) => [confidence, grownBytes]),
    [['low', undefined]],
  )
  assert.match(headline, /what grew is not known\. The largest:.* The census is incomplete\.$/)
  assert.deepEqual(
    types.filter(({ grownBytes }) => grownBytes !== 0),
    [],
  )
})

test('at most five are suspected, and nobody below a tenth of the growth', () => {
  const owners = [30, 25, 20, 18, 17, 16, 14].map((size, index) =>
    makeOwner({ path: `CACHE_${index}`, bytes: size * MiB }),
  )
  const dump = makeDump({ rssBytes: 250 * MiB, census: { bytes: 220 * MiB, owners } })
  assert.equal(analyse(dump, calm).suspects.length, 5)
  const many = Array.from({ length: 20 }, (_, index) => makeOwner({ path: `CACHE_${index}`, bytes: 7 * MiB }))
  const spread = analyse(makeDump({ rssBytes: 250 * MiB, census: { bytes: 220 * MiB, owners: many } }), calm)
  assert.deepEqual(spread.suspects, [])
  assert.match(spread.headline, /No owner by itself has a tenth of it\./)
})

test('small objects in use that nothing leads to are told as such, and not as free blocks or native memory', () => {
  const pools = (usedBytes: number) => ({ count: 1000, bytes: usedBytes + 2 * MiB, usedBytes })
  const before = makeDump({
    rssBytes: 100 * MiB,
    status: rssStatus(90 * MiB, 10 * MiB, 0),
    census: { bytes: 60 * MiB, pools: pools(50 * MiB) },
  })
  const after = makeDump({
    rssBytes: 250 * MiB,
    status: rssStatus(240 * MiB, 10 * MiB, 0),
    census: { bytes: 62 * MiB, pools: pools(190 * MiB) },
  })
  const { verdict, headline, suspects } = analyse(after, before)
  assert.equal(verdict, 'unmet-objects')
  assert.match(headline, /small objects that nothing leads to/)
  assert.equal(suspects[0]?.kind, 'unmet')
  assert.equal(suspects[0].grownBytes, 138 * MiB)
  // What the census itself takes is no leak of anybody's.
  const small = makeDump({
    rssBytes: 13 * MiB,
    status: rssStatus(9 * MiB, 4 * MiB, 0),
    census: { bytes: 4.4 * MiB, pools: pools(7 * MiB) },
  })
  assert.notEqual(analyse(small).verdict, 'unmet-objects')
})
