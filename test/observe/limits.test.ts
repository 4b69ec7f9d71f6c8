import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostMemory, LimitUse } from '../../src/model.ts'
import { LimitReader, parseAddressSpaceLimit, readCgroupUses, tightestOf } from '../../src/observe/limits.ts'
import {
  cgroupDirectories,
  findMemoryController,
  parseMountinfo,
} from '../../src/observe/memory-controller.ts'
import { createInspector } from '../../src/observe/python.ts'
import { copyMachine, fixtures } from './proc-tree.ts'

const MiB = 2 ** 20
const cgroup = '/system.slice/shop-api.service'

const usesIn = (tree: string, path: string) => {
  const controller = findMemoryController(`${fixtures}/${tree}/proc`, `${fixtures}/${tree}/sys`)
  assert.ok(controller)
  return readCgroupUses(controller, path).map(
    ({ limitBytes, usedBytes, where }) => [limitBytes / MiB, usedBytes / MiB, where] as const,
  )
}

for (const [what, tree, path, expected] of [
  [
    'v1 counts without clean page cache, up to the root',
    'v1',
    cgroup,
    [
      [1024, 600, cgroup],
      [2048, 1792, '/system.slice'],
    ],
  ],
  ['v2 takes the lower of max and high, and no limit from `max`', 'v2', cgroup, [[800, 600, cgroup]]],
  ['hybrid reads v1 and believes its hierarchical limit', 'hybrid', cgroup, [[512, 384, cgroup]]],
  [
    'a mounted part of the tree',
    'bind',
    '/system.slice/docker-ab12.scope/workers',
    [
      [100, 20, '/system.slice/docker-ab12.scope/workers'],
      [256, 128, '/system.slice/docker-ab12.scope'],
    ],
  ],
  ['a cgroup out of view has no limit', 'bind', '/system.slice/docker-ab12.scope2', []],
  ['a cgroup outside our namespace has no limit', 'v2', '/../system.slice', []],
  [
    'a cgroup that is gone has those of its ancestors',
    'v1',
    '/system.slice/gone.service',
    [[2048, 1792, '/system.slice']],
  ],
] as const) {
  test(what, () => assert.deepEqual(usesIn(tree, path), expected))
}

test('a machine without a memory controller has none', () => {
  assert.equal(findMemoryController('/nonexistent', '/sys'), undefined)
})

test('a mount point may hold spaces', () => {
  const mount = '35 31 0:32 / /mnt/my\\040cgroups rw shared:10 - cgroup cgroup rw,memory\n'
  assert.deepEqual(parseMountinfo(mount), { version: 1, mountPoint: '/mnt/my cgroups', root: '/' })
})

test('a path of absurd depth is not walked', () => {
  const controller = { version: 2, mountPoint: '/sys/fs/cgroup', root: '/' } as const
  assert.deepEqual(cgroupDirectories(controller, '/a'.repeat(1000)), [])
})

const use = (limitBytes: number, usedBytes: number): LimitUse => ({
  source: 'cgroup',
  limitBytes,
  usedBytes,
  where: '/',
})

test('the tightest limit is the one with the largest share used', () => {
  assert.deepEqual(tightestOf([use(100, 10), use(1000, 900), use(10, 5)]), use(1000, 900))
  assert.deepEqual(tightestOf([use(100, 99), use(0, 0)]), use(0, 0))
  assert.equal(tightestOf([]), undefined)
})

const limitsWith = (soft: string) =>
  `Max locked memory  1  1  bytes\nMax address space         ${soft}   4294967296  bytes     \n`

test('RLIMIT_AS is the soft one', () => {
  assert.equal(parseAddressSpaceLimit(limitsWith('2147483648')), 2_147_483_648)
  assert.equal(parseAddressSpaceLimit(limitsWith('unlimited')), undefined)
  assert.equal(parseAddressSpaceLimit(''), undefined)
})

const host: HostMemory = { totalBytes: 16 * 1024 * MiB, availableBytes: 12 * 1024 * MiB }

const tightestIn = async (
  tree: string,
  change: (machine: ReturnType<typeof copyMachine>) => void = () => {},
) => {
  using machine = copyMachine()
  machine.write('self/mountinfo', '')
  change(machine)
  const inspect = createInspector({ procRoot: machine.proc, passwdFile: '/nonexistent', bootId: 'boot' })
  const python = await inspect(101)
  assert.ok(python)
  const limits = new LimitReader({ procRoot: machine.proc, sysRoot: `${fixtures}/${tree}/sys` })
  limits.place(python)
  return limits.tightest(python.id, 900 * MiB, host)
}
const mounted = (machine: ReturnType<typeof copyMachine>) =>
  machine.write('self/mountinfo', '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n')

test('a process without limits of its own has those of the host', async () => {
  assert.deepEqual(await tightestIn('v1'), {
    source: 'host',
    limitBytes: host.totalBytes,
    usedBytes: 4 * 1024 * MiB,
    where: 'host',
  })
})

test('a cgroup limit goes before the host, the tightest of its ancestors first', async () => {
  const limit = await tightestIn('v1', mounted)
  assert.deepEqual([limit?.source, limit?.where], ['cgroup', '/system.slice'])
})

test('RLIMIT_AS is compared with the address space', async () => {
  const limit = await tightestIn('v1', (machine) => {
    mounted(machine)
    const limits = machine.read('101/limits')
    machine.write('101/limits', limits.replace(/(Max address space +)unlimited/, `$1${1000 * MiB}`))
  })
  assert.deepEqual(limit, {
    source: 'rlimit-as',
    limitBytes: 1000 * MiB,
    usedBytes: 900 * MiB,
    where: 'RLIMIT_AS',
  })
})

test('a cgroup limit above the memory of the host is none', async () => {
  const small = { totalBytes: 512 * MiB, availableBytes: 256 * MiB }
  using machine = copyMachine()
  mounted(machine)
  const python = await createInspector({ procRoot: machine.proc, passwdFile: '/nonexistent', bootId: 'b' })(
    101,
  )
  assert.ok(python)
  const limits = new LimitReader({ procRoot: machine.proc, sysRoot: `${fixtures}/v1/sys` })
  limits.place(python)
  assert.equal(limits.tightest(python.id, 1, small)?.source, 'host')
})
