import { findV1, findV2, parseMounts } from '../proc/parse-mounts.ts'
import { readSmall } from './read-proc.ts'

/** Where the controller that limits memory is mounted, and which part of its tree that shows. */
export type MemoryController = {
  readonly version: 1 | 2
  readonly mountPoint: string
  /** The cgroup that is seen at the mount point. */
  readonly root: string
}

/** The controller as the daemon sees it: v1's memory where it is mounted (also beside v2), else v2's. */
export const findMemoryController = (procRoot: string, sysRoot: string): MemoryController | undefined => {
  const controller = parseMountinfo(readSmall(`${procRoot}/self/mountinfo`) ?? '')
  if (controller === undefined) return undefined
  const { mountPoint } = controller
  return mountPoint.startsWith('/sys/')
    ? { ...controller, mountPoint: sysRoot + mountPoint.slice('/sys'.length) }
    : controller
}

/** The memory controller's line in the text of mountinfo. */
export const parseMountinfo = (text: string): MemoryController | undefined => {
  const mounts = parseMounts(text)
  const v1 = findV1(mounts, 'memory')
  const v2 = findV2(mounts)
  const found = v1 ?? v2
  return found && { version: v1 === undefined ? 2 : 1, mountPoint: found.mountPoint, root: found.root }
}

/** The directories of a cgroup and of its ancestors up to the mount point, innermost first; none when it is not in view. */
export const cgroupDirectories = (
  { mountPoint, root }: MemoryController,
  cgroup: string,
): readonly { readonly cgroup: string; readonly directory: string }[] => {
  const prefix = root === '/' ? '' : root
  const isInView = cgroup === root || cgroup.startsWith(`${prefix}/`)
  const parts = cgroup.slice(prefix.length).split('/').filter(Boolean)
  // `..` is how the kernel names what is outside our cgroup namespace.
  if (!isInView || parts.includes('..') || parts.length > MAX_DEPTH) return []
  return Array.from({ length: parts.length + 1 }, (_, up) => {
    const path = parts
      .slice(0, parts.length - up)
      .map((part) => `/${part}`)
      .join('')
    return { cgroup: `${prefix}${path}` || '/', directory: `${mountPoint}${path}` }
  })
}

const MAX_DEPTH = 64
