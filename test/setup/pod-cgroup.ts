import { randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { memoryCgroupVersion } from './memory-cgroup.ts'

/** Where cgroups are, by controller or all in one. */
export const hierarchies = (): readonly string[] =>
  memoryCgroupVersion() === 2
    ? ['/sys/fs/cgroup']
    : readdirSync('/sys/fs/cgroup').map((controller) => `/sys/fs/cgroup/${controller}`)

/** A pod's cgroup, as a kubelet without systemd names it. */
export type Pod = { readonly uid: string; readonly cgroup: string; readonly container: string }
export const newPod = (): Pod => {
  const uid = randomUUID()
  const container = randomBytes(32).toString('hex')
  return { uid, container, cgroup: `/kubepods/burstable/pod${uid}/${container}` }
}

/** The kubelet's are its own to remove; runc leaves those behind that were busy when it ended. */
export function removeCgroups({ uid, cgroup }: Pod): void {
  for (const at of hierarchies())
    for (const path of [cgroup, `/kubepods/burstable/pod${uid}`]) removeCgroup(join(at, path))
}

export function removeCgroup(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Another's, or never made.
  }
}
