import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Where snapshots are charged for the memory they copy. */
export type SnapshotCgroup =
  | { readonly kind: 'cgroup'; readonly path: string }
  /** No memory controller here: nothing is charged to anybody. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly detail: string }

const NAME = 'pyheap-snapshots'

/**
 * Makes the cgroup for snapshots: below the memory controller's root on v1, on v2 below the daemon's own unit when
 * it is delegated, else below the root. Without it a snapshot would be charged to the service.
 */
export function openSnapshotCgroup(procRoot: string): SnapshotCgroup {
  const mounts = readFileSync(`${procRoot}/self/mountinfo`, 'utf8').split('\n').map(parseMount)
  const v1 = mounts.find((mount) => mount?.type === 'cgroup' && mount.options.includes('memory'))
  const v2 = mounts.find((mount) => mount?.type === 'cgroup2')
  const parent = v1?.mountPoint ?? (v2 && hasMemoryController(v2.mountPoint) ? v2.mountPoint : undefined)
  if (parent === undefined) return { kind: 'none' }
  try {
    const path = `${v1 ? parent : delegatedParent(procRoot, parent)}/${NAME}`
    mkdirSync(path, { recursive: true })
    return { kind: 'cgroup', path }
  } catch (error) {
    return { kind: 'failed', detail: String(error) }
  }
}

/** Moves a process there. */
export function moveToCgroup(cgroup: string, pid: number): void {
  writeFileSync(`${cgroup}/cgroup.procs`, String(pid))
}

/** Pids of the processes in it. */
function listCgroup(cgroup: string): number[] {
  return readFileSync(`${cgroup}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number)
}

type Mount = { readonly mountPoint: string; readonly type: string; readonly options: readonly string[] }

/** `36 35 0:31 / /sys/fs/cgroup/memory rw,… shared:9 - cgroup cgroup rw,memory` */
function parseMount(line: string): Mount | undefined {
  const [before = '', after = ''] = line.split(' - ')
  const [type = '', , options = ''] = after.split(' ')
  const mountPoint = before.split(' ')[4]
  return mountPoint === undefined ? undefined : { mountPoint, type, options: options.split(',') }
}

const hasMemoryController = (mountPoint: string): boolean =>
  readFileSync(`${mountPoint}/cgroup.controllers`, 'utf8').split(/\s+/).includes('memory')

/** A cgroup with processes of its own cannot have limited children: a delegated daemon moves into a leaf first. */
function delegatedParent(procRoot: string, mountPoint: string): string {
  const own = /^0::(.*)$/m.exec(readFileSync(`${procRoot}/self/cgroup`, 'utf8'))?.[1] ?? '/'
  const [unit] = /^.*\/pyheap-watchd\.service/.exec(own) ?? []
  if (unit === undefined) return mountPoint
  const parent = `${mountPoint}${unit}`
  mkdirSync(`${parent}/daemon`, { recursive: true })
  for (const pid of listCgroup(parent)) moveToCgroup(`${parent}/daemon`, pid)
  writeFileSync(`${parent}/cgroup.subtree_control`, '+memory')
  return parent
}
