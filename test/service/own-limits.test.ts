import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { limitOurselves } from '../../src/service/own-limits.ts'

const limits = { memoryMaxBytes: 1000, cpuMaxShare: 0.5, snapshotsCpuMaxShare: undefined }
const UNIT = 'system.slice/pyheap-watchd.service'

/** A /proc/self of a machine whose cgroups are mounted in a folder, with these files in them. */
function inTree(
  mounts: (root: string) => string,
  cgroup: string,
  files: readonly string[],
  act: (procRoot: string, read: (file: string) => string) => void,
): void {
  const root = mkdtempSync(join(tmpdir(), 'pyheap-limits-'))
  try {
    mkdirSync(join(root, 'proc/self'), { recursive: true })
    writeFileSync(join(root, 'proc/self/mountinfo'), mounts(root))
    writeFileSync(join(root, 'proc/self/cgroup'), cgroup)
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), 'as it was')
    }
    act(join(root, 'proc'), (file) => readFileSync(join(root, file), 'utf8'))
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('on cgroup v2 the daemon and its snapshots are bounded apart', () =>
  inTree(
    (root) => `30 25 0:26 / ${root}/v2 rw - cgroup2 cgroup2 rw\n`,
    `0::/${UNIT}/daemon\n`,
    ['memory.max', 'cpu.max']
      .map((name) => `v2/${UNIT}/daemon/${name}`)
      .concat(`v2/${UNIT}/pyheap-snapshots/cpu.max`),
    (procRoot, read) => {
      assert.deepEqual(limitOurselves(procRoot, { ...limits, snapshotsCpuMaxShare: 1.5 }), [])
      assert.equal(read(`v2/${UNIT}/daemon/memory.max`), '1000')
      assert.equal(read(`v2/${UNIT}/daemon/cpu.max`), '50000 100000')
      assert.equal(read(`v2/${UNIT}/pyheap-snapshots/cpu.max`), '150000 100000')
    },
  ))

test('on v1 the unit itself is bounded, where its controllers are', () =>
  inTree(
    (root) =>
      ['memory', 'cpu,cpuacct']
        .map((name, n) => `3${n} 25 0:2${n} / ${root}/${name} rw - cgroup cgroup rw,${name}\n`)
        .join('') + `40 25 0:40 / ${root}/unified rw - cgroup2 cgroup2 rw\n`,
    `4:memory:/${UNIT}\n3:cpu,cpuacct:/${UNIT}\n1:name=systemd:/${UNIT}\n0::/${UNIT}\n`,
    [`memory/${UNIT}/memory.limit_in_bytes`, `cpu,cpuacct/${UNIT}/cpu.cfs_quota_us`],
    (procRoot, read) => {
      assert.deepEqual(limitOurselves(procRoot, limits), [])
      assert.equal(read(`memory/${UNIT}/memory.limit_in_bytes`), '1000')
      assert.equal(read(`cpu,cpuacct/${UNIT}/cpu.cfs_quota_us`), '50000')
    },
  ))

test('a cgroup that is not our unit is never touched', () =>
  inTree(
    (root) => `30 25 0:26 / ${root}/memory rw - cgroup cgroup rw,memory\n`,
    '4:memory:/user.slice/session-1.scope\n',
    ['memory/user.slice/session-1.scope/memory.limit_in_bytes', 'memory/memory.limit_in_bytes'],
    (procRoot, read) => {
      assert.deepEqual(limitOurselves(procRoot, limits), [])
      assert.equal(read('memory/user.slice/session-1.scope/memory.limit_in_bytes'), 'as it was')
      assert.equal(read('memory/memory.limit_in_bytes'), 'as it was')
    },
  ))

test('what cannot be written is told', () =>
  inTree(
    (root) => `30 25 0:26 / ${root}/v2 rw - cgroup2 cgroup2 rw\n`,
    `0::/${UNIT}/daemon\n`,
    [],
    (procRoot) => assert.equal(limitOurselves(procRoot, limits).length, 3),
  ))
