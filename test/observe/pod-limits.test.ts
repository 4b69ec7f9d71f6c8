import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { LimitReader } from '../../src/observe/limits.ts'

const MiB = 2 ** 20
const uid = '3f0c1d2e-9a8b-4c7d-8e6f-0a1b2c3d4e5f'
const id = 'a1'.repeat(32)

type Files = Readonly<Record<string, string>>

const v1 = (limitMiB: number | undefined, usedMiB: number): Files => ({
  'memory.limit_in_bytes': limitMiB === undefined ? '9223372036854771712\n' : `${limitMiB * MiB}\n`,
  'memory.usage_in_bytes': `${usedMiB * MiB}\n`,
  'memory.stat': 'total_inactive_file 0\n',
})

const v2 = (limitMiB: number | undefined, usedMiB: number): Files => ({
  'memory.max': limitMiB === undefined ? 'max\n' : `${limitMiB * MiB}\n`,
  'memory.high': 'max\n',
  'memory.current': `${usedMiB * MiB}\n`,
  'memory.stat': 'inactive_file 0\n',
})

const V1 = {
  mount: '40 30 0:34 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n',
  line: (path: string) => `4:memory:${path}\n0::/\n`,
  directory: 'fs/cgroup/memory',
  files: v1,
}
const V2 = {
  mount: '31 30 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  line: (path: string) => `0::${path}\n`,
  directory: 'fs/cgroup',
  files: v2,
}

const BY_SYSTEMD = [
  '/kubepods.slice/kubepods-burstable.slice',
  `kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`,
  `cri-containerd-${id}.scope`,
] as const
const BY_CGROUPFS = ['/kubepods/burstable', `pod${uid}`, id] as const

/** The limit of a process in a container of 1,000 MiB that uses 600, in a pod whose containers use 700 of so many together. */
const limitIn = (
  { mount, line, directory, files }: typeof V1,
  [qos, pod, container]: readonly [string, string, string],
  podMiB: number | undefined,
) => {
  const root = mkdtempSync(join(tmpdir(), 'pod-limits-'))
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const writeAll = (cgroup: string, some: Files): void => {
    for (const [name, text] of Object.entries(some)) write(`sys/${directory}${cgroup}/${name}`, text)
  }
  try {
    const path = `${qos}/${pod}/${container}`
    write('proc/self/mountinfo', mount)
    write('proc/7/cgroup', line(path))
    writeAll(path, files(1000, 600))
    writeAll(`${qos}/${pod}`, files(podMiB, 700))
    writeAll(qos, files(undefined, 5000))
    const limits = new LimitReader({ procRoot: join(root, 'proc'), sysRoot: join(root, 'sys') })
    const process = { id: { bootId: 'b', pid: 7, startTicks: 1 }, cgroup: '/' }
    limits.place(process as Parameters<typeof limits.place>[0])
    const host = { totalBytes: 64_000 * MiB, availableBytes: 32_000 * MiB }
    const limit = limits.tightest(process.id, 0, host)
    const where = limit?.where.replace(qos, '')
    return [where, (limit?.usedBytes ?? 0) / MiB, (limit?.limitBytes ?? 0) / MiB]
  } finally {
    rmSync(root, { recursive: true })
  }
}

for (const [version, tree] of [
  ['v1', V1],
  ['v2', V2],
] as const)
  for (const [driver, names] of [
    ['systemd', BY_SYSTEMD],
    ['cgroupfs', BY_CGROUPFS],
  ] as const) {
    test(`${version} by ${driver}: the limit of the container, and that of its pod where that is nearer`, () => {
      const [, pod, container] = names
      assert.deepEqual(limitIn(tree, names, 2000), [`/${pod}/${container}`, 600, 1000])
      assert.deepEqual(limitIn(tree, names, undefined), [`/${pod}/${container}`, 600, 1000])
      assert.deepEqual(limitIn(tree, names, 800), [`/${pod}`, 700, 800])
    })
  }
