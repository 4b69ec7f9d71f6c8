import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findV1, findV2, parseMounts } from '../../src/proc/parse-mounts.ts'

const OWN = '36 35 0:31 /own /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory'
const HOST = '90 35 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory'
const UNIFIED = '37 35 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw'

for (const [what, lines, memory, unified] of [
  ['beside each other', [OWN, UNIFIED], '/own', '/'],
  ['one over the other', [OWN, HOST], '/', undefined],
  [
    'hidden by what was mounted above',
    [OWN, UNIFIED, '80 1 0:9 / /sys/fs/cgroup rw - tmpfs tmpfs rw'],
    undefined,
    undefined,
  ],
  [
    'below something that was there before',
    ['80 1 0:9 / /sys/fs/cgroup rw - tmpfs tmpfs rw', OWN],
    '/own',
    undefined,
  ],
  [
    'beside one whose name it begins with',
    [OWN, '80 1 0:9 / /sys/fs/cgroup/mem rw - tmpfs tmpfs rw'],
    '/own',
    undefined,
  ],
] as const)
  test(`hierarchies of cgroups that are ${what}`, () => {
    const mounts = parseMounts(lines.join('\n'))
    assert.deepEqual([findV1(mounts, 'memory')?.root, findV2(mounts)?.root], [memory, unified])
  })
