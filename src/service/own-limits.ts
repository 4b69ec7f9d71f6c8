import { readFileSync, writeFileSync } from 'node:fs'
import { parseCgroup } from '../proc/parse-cgroup.ts'
import { findV1, findV2, parseMounts } from '../proc/parse-mounts.ts'

/** Of the daemon with its gdb and bpftrace, and of all snapshots together. */
export type OwnLimits = {
  readonly memoryMaxBytes: number
  /** Of one CPU. */
  readonly cpuMaxShare: number
  readonly snapshotsCpuMaxShare: number | undefined
}

const PERIOD_US = 100_000
const UNIT = /^.*\/pyheap-watchd\.service/

/**
 * Bounds the cgroups that our unit has been delegated, on cgroup v2 the daemon's beside that of snapshots, on v1 the
 * unit's own. Answers what could not be set; where we run in nobody's cgroup there is nothing to bound.
 */
export function limitOurselves(procRoot: string, limits: OwnLimits): readonly string[] {
  const mounts = parseMounts(readFileSync(`${procRoot}/self/mountinfo`, 'utf8'))
  const ours = parseCgroup(readFileSync(`${procRoot}/self/cgroup`, 'utf8')).flatMap(
    ({ controllers, path }) => {
      const unit = UNIT.exec(path)?.[0]
      return unit === undefined ? [] : [{ controllers, unit }]
    },
  )
  const memory = String(limits.memoryMaxBytes)
  const quota = (share: number): string => String(Math.round(share * PERIOD_US))
  const v1 = ours.flatMap(({ controllers, unit }) => {
    const at = (controller: string): string | undefined =>
      controllers.includes(controller) ? findV1(mounts, controller)?.mountPoint : undefined
    return [
      [at('memory'), `${unit}/memory.limit_in_bytes`, memory],
      [at('cpu'), `${unit}/cpu.cfs_quota_us`, quota(limits.cpuMaxShare)],
    ] as const
  })
  const unified = ours.find(({ controllers }) => controllers.length === 0)
  const v2Mount = findV2(mounts)?.mountPoint
  const share = limits.snapshotsCpuMaxShare
  const v2 =
    unified === undefined
      ? []
      : ([
          [v2Mount, `${unified.unit}/daemon/memory.max`, memory],
          [v2Mount, `${unified.unit}/daemon/cpu.max`, `${quota(limits.cpuMaxShare)} ${PERIOD_US}`],
          [
            v2Mount,
            `${unified.unit}/pyheap-snapshots/cpu.max`,
            `${share === undefined ? 'max' : quota(share)} ${PERIOD_US}`,
          ],
        ] as const)
  // Where v1 has the memory controller v2 has none, and its files are not there.
  const isV1 = findV1(mounts, 'memory') !== undefined
  return (isV1 ? v1 : v2).flatMap(([mount, file, value]) => {
    if (mount === undefined) return []
    try {
      writeFileSync(`${mount}${file}`, value)
      return []
    } catch (error) {
      return [`${mount}${file}: ${(error as Error).message}`]
    }
  })
}
