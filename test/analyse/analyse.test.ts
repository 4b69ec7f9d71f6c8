import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyse } from '../../src/analyse/analyse.ts'
import { gcOn, makeDump, makeOwner, MiB, rssStatus, typeRow, type DumpFacts } from './make-dump.ts'

const catalog = makeOwner({ bytes: 40 * MiB })
const earlier = { startedAt: '2026-11-21T12:00:00.000Z', isBaseline: true, rssBytes: 100 * MiB }
const calm = makeDump({
  ...earlier,
  status: rssStatus(90 * MiB, 10 * MiB, 0),
  census: {
    owners: [catalog, makeOwner({ scope: 'shop.broker', path: 'POOL', type: 'ConnectionPool', bytes: MiB })],
    types: [typeRow('array.array', 102, 2 * MiB), typeRow('dict', 50_000, 40 * MiB)],
    malloc: { inUseBytes: 20 * MiB, freeBytes: 4 * MiB, mmappedBytes: 0, arenaBytes: 24 * MiB },
  },
})

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

void test('against a baseline the headline says how big, how fast, what grew and who holds it', () => {
  const { headline, verdict } = analyse(leaking, calm)
  assert.equal(verdict, 'python-objects')
  assert.equal(
    headline,
    'RSS 252 MiB, +152 MiB since baseline 20 min ago, +15 MiB/min over the last 10 min; ' +
      'Python objects explain 98 % of the growth, most of all array.array (+147 MiB). ' +
      'module shop.broker: POOL._dirty (set, 1,200 entries of Connection) keeps 150 MiB, mostly array.array.',
  )
})

void test('growth outranks size: the larger healthy owner is not named', () => {
  const { suspects } = analyse(leaking, calm)
  assert.deepEqual(
    suspects.map(({ title, grownBytes, confidence }) => [title.split(' (')[0], grownBytes, confidence]),
    [['module shop.broker: POOL._dirty', 149 * MiB, 'high']],
  )
})

void test('without a baseline the largest is named as just that, and nothing is called a leak', () => {
  const findings = analyse(leaking)
  assert.match(findings.headline, /largest, with no earlier dump to compare with: module shop\.broker/)
  assert.deepEqual(
    findings.suspects.map(({ grownBytes, confidence }) => [grownBytes, confidence]),
    [[undefined, 'medium']],
  )
  assert.doesNotMatch(JSON.stringify([findings, analyse(leaking, calm)]), /leak/i)
})

void test('a process that has not grown accuses nobody', () => {
  const { verdict, suspects, headline } = analyse(
    { ...leaking, manifest: { ...leaking.manifest, rss_bytes: 104 * MiB } },
    calm,
  )
  assert.deepEqual([verdict, suspects], ['no-growth', []])
  assert.match(headline, /^RSS 104 MiB, \+4 MiB since baseline 20 min ago.*: no growth to explain\.$/)
})

void test('a long flat history accuses nobody either when there is no baseline', () => {
  const history = [0, 300, 700].map((secondsAgo) => ({ secondsAgo, rssBytes: 252 * MiB }))
  const flat = { ...leaking, outside: { ...leaking.outside, history } }
  assert.deepEqual([analyse(flat).verdict, analyse(flat).suspects], ['no-growth', []])
})

void test('what grew and went into swap is growth', () => {
  const swapped = makeDump({
    rssBytes: 100 * MiB,
    status: { ...rssStatus(90 * MiB, 10 * MiB, 0), VmSwap: `${150 * 1024} kB` },
    census: { bytes: 229 * MiB, owners: [connections] },
  })
  const { verdict, headline } = analyse(swapped, calm)
  assert.equal(verdict, 'python-objects')
  assert.match(headline, /\+150 MiB with swap since baseline/)
})

type Native = {
  readonly rule: string
  readonly facts: DumpFacts
  readonly verdict: string
  readonly title: RegExp
  readonly evidence: RegExp
}

const malloc = { inUseBytes: 20 * MiB, freeBytes: 4 * MiB, mmappedBytes: 0, arenaBytes: 24 * MiB }
const grownAnon = rssStatus(240 * MiB, 10 * MiB, 0)
const natives: readonly Native[] = [
  {
    rule: 'malloc in use has grown without Python objects: native',
    facts: {
      status: grownAnon,
      census: { owners: [catalog], malloc: { ...malloc, inUseBytes: 170 * MiB } },
    },
    verdict: 'native',
    title: /^native memory: 150 MiB outside Python objects \(these: \+0 B\); malloc has handed it out/,
    evidence: /malloc: in use \+150 MiB, free \+0 B/,
  },
  {
    rule: 'free memory in malloc has grown: fragmentation, with what helps',
    facts: { status: grownAnon, census: { owners: [catalog], malloc: { ...malloc, freeBytes: 154 * MiB } } },
    verdict: 'fragmentation',
    title: /^fragmentation: malloc keeps 150 MiB of freed memory/,
    evidence: /malloc_trim.*MALLOC_ARENA_MAX/,
  },
  {
    rule: 'mappings of deleted files have grown, and who keeps the objects is told',
    facts: {
      status: rssStatus(90 * MiB, 160 * MiB, 0),
      map: Array.from({ length: 400 }, (_, index) => ({
        kind: 'deleted-file' as const,
        path: `/tmp/upload-${index}`,
        mappings: 1,
        rssBytes: 0,
        swapBytes: 0,
      })),
      census: {
        owners: [
          catalog,
          makeOwner({
            scope: 'shop.antivirus',
            path: 'SCANNER._images',
            type: 'list',
            entries: 400,
            entryTypes: [{ type: 'mmap.mmap', count: 400 }],
            bytes: 50_000,
          }),
        ],
      },
    },
    verdict: 'mapping',
    title: /^file mappings: 400 mapped deleted files in \/tmp\/ \+150 MiB resident/,
    evidence: /400 mmap\.mmap are kept by module shop\.antivirus: SCANNER\._images/,
  },
  {
    rule: 'one mapped file is page cache that the kernel can drop',
    facts: {
      status: rssStatus(90 * MiB, 160 * MiB, 0),
      map: [{ kind: 'file', path: '/data/embeddings.bin', mappings: 1, rssBytes: 150 * MiB, swapBytes: 0 }],
    },
    verdict: 'mapping',
    title: /^mapped file \/data\/embeddings\.bin \+150 MiB resident/,
    evidence: /can drop clean pages/,
  },
  {
    rule: 'segments in /dev/shm have grown',
    facts: {
      status: rssStatus(90 * MiB, 10 * MiB, 150 * MiB),
      map: [
        { kind: 'shared-memory', path: '/dev/shm/psm_a1', mappings: 1, rssBytes: 0, swapBytes: 0 },
        { kind: 'shared-memory', path: '/dev/shm/psm_b2', mappings: 1, rssBytes: 0, swapBytes: 0 },
      ],
    },
    verdict: 'shared-memory',
    title: /^shared memory: 2 segments \(\/dev\/shm\/psm_a1\) \+150 MiB resident .*RssShmem/,
    evidence: /until they are unlinked/,
  },
]
for (const { rule, facts, verdict, title, evidence } of natives) {
  void test(rule, () => {
    const findings = analyse(makeDump({ rssBytes: 250 * MiB, ...facts }), calm)
    assert.equal(findings.verdict, verdict)
    assert.match(findings.suspects[0]?.title ?? '', title)
    assert.match((findings.suspects[0]?.evidence ?? []).join('; '), evidence)
    assert.match(findings.headline, /not Python objects \(they grew \+0 B of \+150 MiB\)/)
    assert.doesNotMatch(JSON.stringify(findings.suspects), /CATALOG/)
  })
}

void test('native memory without a baseline does not accuse the largest healthy owner', () => {
  const dump = makeDump({
    rssBytes: 300 * MiB,
    status: rssStatus(290 * MiB, 10 * MiB, 0),
    census: { owners: [catalog], malloc: { ...malloc, inUseBytes: 220 * MiB } },
  })
  const { verdict, suspects } = analyse(dump)
  assert.equal(verdict, 'native')
  assert.doesNotMatch(JSON.stringify(suspects), /CATALOG/)
})

void test('objects that nobody holds are named as unreachable, with the collector switched off as the reason', () => {
  const garbage = { kind: 'unreachable', scope: '', type: '', objects: 4000 } as const
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

void test('without a census the headline says why and what the kernel still knows', () => {
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

void test('half a census is not compared, and its suspects are doubtful', () => {
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

void test('at most five are suspected, and nobody below a tenth of the growth', () => {
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
