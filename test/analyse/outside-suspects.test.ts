import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyse } from '../../src/analyse/analyse.ts'
import { calm, catalog } from './calm-dump.ts'
import { makeDump, makeOwner, MiB, rssStatus, type DumpFacts } from './make-dump.ts'

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
  test(rule, () => {
    const findings = analyse(makeDump({ rssBytes: 250 * MiB, ...facts }), calm)
    assert.equal(findings.verdict, verdict)
    assert.match(findings.suspects[0]?.title ?? '', title)
    assert.match((findings.suspects[0]?.evidence ?? []).join('; '), evidence)
    assert.match(findings.headline, /not Python objects \(they grew \+0 B of \+150 MiB\)/)
    assert.doesNotMatch(JSON.stringify(findings.suspects), /CATALOG/)
  })
}

test('native memory without a baseline does not accuse the largest healthy owner', () => {
  const dump = makeDump({
    rssBytes: 300 * MiB,
    status: rssStatus(290 * MiB, 10 * MiB, 0),
    census: { owners: [catalog], malloc: { ...malloc, inUseBytes: 220 * MiB } },
  })
  const { verdict, suspects } = analyse(dump)
  assert.equal(verdict, 'native')
  assert.doesNotMatch(JSON.stringify(suspects), /CATALOG/)
})
