import assert from 'node:assert/strict'
import { test } from 'node:test'
import { titleOwner } from '../../src/analyse/owner-title.ts'
import type { Owner } from '../../src/model.ts'
import { gcOn, makeOwner, MiB, typeRow } from './make-dump.ts'

const cases: readonly (readonly [Partial<Owner>, string])[] = [
  [
    { scope: 'app.cache', path: 'SESSIONS', entries: 2_104_882, bytes: 1.4 * 1024 * MiB },
    'module app.cache: SESSIONS (dict, 2,104,882 entries) keeps 1.4 GiB',
  ],
  [
    { kind: 'class', scope: '__main__.Base', path: 'model_registry', entries: 1 },
    'class attribute __main__.Base.model_registry (dict, 1 entry) keeps 10 MiB',
  ],
  [
    { kind: 'frame', scope: 'thread worker-3: Api.handle (/srv/api.py:41)', path: 'rows', type: 'list' },
    'local variable rows of Api.handle in thread worker-3 (/srv/api.py:41) (list) keeps 10 MiB',
  ],
  [
    { kind: 'frame', scope: 'threads: poll (/srv/api.py:41)', path: 'rows', type: 'list', alike: 1200 },
    'local variable rows of poll in 1,200 threads (/srv/api.py:41) (list) keeps 10 MiB',
  ],
  [
    { scope: 'plugin_*', path: 'TABLE', type: 'list', alike: 30 },
    '30 modules plugin_*: TABLE (list) keeps 10 MiB',
  ],
  [
    { kind: 'frame', scope: 'somewhere', path: 'rows', type: 'list' },
    'local variable rows in somewhere (list) keeps 10 MiB',
  ],
  [
    { kind: 'thread', scope: 'thread db-0', path: '_local', type: 'dict' },
    'thread db-0: _local (dict) keeps 10 MiB',
  ],
  [
    {
      scope: '__main__',
      path: 'RepoClient.get_file_content',
      type: 'functools._lru_cache_wrapper',
      notes: ['lru_cache maxsize=None currsize=1600 hits=0 misses=1600'],
      types: [typeRow('str', 1600, 9 * MiB), typeRow('TreeEntry', 1600, MiB)],
    },
    'lru_cache of RepoClient.get_file_content: 1,600 entries, maxsize None, keeps 10 MiB, mostly str',
  ],
  [
    { types: [typeRow('str', 10, 4 * MiB), typeRow('list', 10, 3 * MiB), typeRow('int', 10, 3 * MiB)] },
    'module shop.catalog: CATALOG (dict) keeps 10 MiB, mainly str and list',
  ],
  [
    { type: 'bytearray', types: [typeRow('bytearray', 1, 10 * MiB)] },
    'module shop.catalog: CATALOG (bytearray) keeps 10 MiB',
  ],
  [
    { kind: 'unreachable', path: 'A <-> B', objects: 2 },
    'unreachable objects A <-> B: 2 objects, 10 MiB, which no root leads to',
  ],
  [
    { kind: 'unreachable', scope: 'reference cycles that no root leads to', path: 'A', objects: 1 },
    'unreachable cycles A: 1 object, 10 MiB; automatic gc is enabled and has not run yet',
  ],
  [
    { kind: 'task', scope: 'asyncio', path: 'Channel.wait_until_closed', entries: 20_000 },
    '20,000 pending tasks keep 10 MiB: asyncio Channel.wait_until_closed',
  ],
  [
    { kind: 'task', scope: 'asyncio', path: 'main: rows', type: 'list' },
    'asyncio task main: rows (list) keeps 10 MiB',
  ],
]
for (const [given, expected] of cases) {
  test(`an owner is named: ${expected}`, () => {
    const owner = makeOwner({ bytes: 10 * MiB, ...given })
    const growth = { owner, grownBytes: undefined, grownEntries: undefined, types: [] }
    assert.equal(titleOwner(growth, gcOn), expected)
  })
}

test('a name without end is cut in the middle', () => {
  const owner = makeOwner({ bytes: 1, scope: 's'.repeat(5000), path: `${'[0]'.repeat(5000)}.last` })
  const title = titleOwner({ owner, grownBytes: undefined, grownEntries: undefined, types: [] }, gcOn)
  assert.ok(title.length < 300)
  assert.match(title, /….*\.last \(dict\)/)
})
