import { mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { findV1, findV2, parseMounts } from '../proc/parse-mounts.ts'

/** Where a snapshot is charged for the memory it copies. */
export type SnapshotCgroup =
  | { readonly kind: 'cgroup'; readonly path: string; readonly version: 1 | 2 }
  /** No memory controller here: nothing is charged to anybody. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly detail: string }

const NAME = 'pyheap-snapshots'
const OLD_MS = 10 * 60_000

/** What v1 and v2 call the same things. */
const FILES = {
  1: {
    limits: ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'],
    charge: 'memory.usage_in_bytes',
    peak: 'memory.max_usage_in_bytes',
    events: 'memory.oom_control',
  },
  2: { limits: ['memory.max'], charge: 'memory.current', peak: 'memory.peak', events: 'memory.events' },
} as const

/**
 * Makes the cgroup for the next snapshot of `pid`, below one for all: below the memory controller's root on v1, on v2
 * below the daemon's own unit when it is delegated, else below the root. Without it a snapshot would be charged to the
 * service.
 */
export function openSnapshotCgroup(procRoot: string, pid: number, limitBytes?: number): SnapshotCgroup {
  try {
    const home = findHome(procRoot)
    if (home === undefined) return { kind: 'none' }
    const { path: parent, version } = home
    mkdirSync(parent, { recursive: true })
    if (version === 2) writeFileSync(`${parent}/cgroup.subtree_control`, '+memory')
    removeEmpty(parent)
    const path = `${parent}/${pid}-${process.hrtime.bigint()}`
    mkdirSync(path)
    if (limitBytes !== undefined) setLimit(path, version, limitBytes)
    return { kind: 'cgroup', path, version }
  } catch (error) {
    return { kind: 'failed', detail: String(error) }
  }
}

/** Moves a process there. */
export function moveToCgroup(cgroup: string, pid: number): void {
  writeFileSync(`${cgroup}/cgroup.procs`, String(pid))
}

/** Takes it away again once the snapshot is gone; what is still busy goes before the next one. */
export function closeSnapshotCgroup(cgroup: SnapshotCgroup): void {
  if (cgroup.kind === 'cgroup') remove(cgroup.path)
}

/** Bytes that the snapshot has copied and allocated so far; undefined where nothing is charged. */
export function chargedBytes(cgroup: SnapshotCgroup): number | undefined {
  if (cgroup.kind !== 'cgroup') return undefined
  return Number(readFileSync(`${cgroup.path}/${FILES[cgroup.version].charge}`, 'latin1'))
}

/** The most that it had copied and allocated; undefined where the kernel does not tell. */
export function peakBytes(cgroup: SnapshotCgroup): number | undefined {
  if (cgroup.kind !== 'cgroup') return undefined
  try {
    return Number(readFileSync(`${cgroup.path}/${FILES[cgroup.version].peak}`, 'latin1'))
  } catch {
    return undefined // Linux before 5.19 on cgroup v2
  }
}

/** Whether the kernel's OOM killer has struck the snapshot. */
export function wasOomKilled(cgroup: SnapshotCgroup): boolean {
  if (cgroup.kind !== 'cgroup') return false
  const events = readFileSync(`${cgroup.path}/${FILES[cgroup.version].events}`, 'latin1')
  return Number(/^oom_kill (\d+)/m.exec(events)?.[1] ?? 0) > 0
}

function setLimit(path: string, version: 1 | 2, bytes: number): void {
  const [memory, withSwap] = FILES[version].limits
  writeFileSync(`${path}/${memory}`, String(bytes))
  if (withSwap === undefined) return
  try {
    writeFileSync(`${path}/${withSwap}`, String(bytes))
  } catch {
    return // the kernel does not account for swap
  }
}

/** Those of killed daemons, and of snapshots that took long to die. */
function removeEmpty(parent: string): void {
  const names = readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  for (const path of names.map(({ name }) => `${parent}/${name}`)) if (isOld(path)) remove(path)
}

/** A young one may be another daemon's, whose snapshot is not in it yet. */
function isOld(path: string): boolean {
  const made = statSync(path, { throwIfNoEntry: false })?.ctimeMs
  return made !== undefined && Date.now() - made > OLD_MS
}

function remove(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    return // busy, or gone already
  }
}

type Home = { readonly path: string; readonly version: 1 | 2 }

function findHome(procRoot: string): Home | undefined {
  const mounts = parseMounts(readFileSync(`${procRoot}/self/mountinfo`, 'utf8'))
  const v1 = findV1(mounts, 'memory')
  if (v1) return { path: `${v1.mountPoint}/${NAME}`, version: 1 }
  const v2 = findV2(mounts)
  if (!v2 || !hasMemoryController(v2.mountPoint)) return undefined
  return { path: `${delegatedParent(procRoot, v2.mountPoint)}/${NAME}`, version: 2 }
}

/** Pids of the processes in it. */
function listCgroup(cgroup: string): number[] {
  return readFileSync(`${cgroup}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number)
}

const hasMemoryController = (mountPoint: string): boolean =>
  readFileSync(`${mountPoint}/cgroup.controllers`, 'utf8').split(/\s+/).includes('memory')

/** A cgroup with processes of its own cannot have limited children: a delegated daemon moves into a leaf first. */
function delegatedParent(procRoot: string, mountPoint: string): string {
  const own = /^0::(.*)$/m.exec(readFileSync(`${procRoot}/self/cgroup`, 'utf8'))?.[1] ?? '/'
  const [unit] = /^.*\/pyheap-watchd\.service/.exec(own) ?? []
  const parent = unit === undefined ? mountPoint : `${mountPoint}${unit}`
  if (unit !== undefined) {
    mkdirSync(`${parent}/daemon`, { recursive: true })
    for (const pid of listCgroup(parent)) moveToCgroup(`${parent}/daemon`, pid)
  }
  writeFileSync(`${parent}/cgroup.subtree_control`, '+memory')
  try {
    writeFileSync(`${parent}/cgroup.subtree_control`, '+cpu')
  } catch {
    // Not delegated: then nothing bounds the CPU of snapshots.
  }
  return parent
}
