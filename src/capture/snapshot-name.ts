import { createHash } from 'node:crypto'

/**
 * What the snapshots of one run directory call themselves, in the 15 characters that a process has for its name. Daemons
 * with run directories of their own do not end each other's.
 */
export const snapshotName = (runDir: string): string =>
  `pyheap-snap-${createHash('sha256').update(runDir).digest('hex').slice(0, 3)}`

/** Whether a process goes by the name of a snapshot, whoever took it. */
export const isSnapshotName = (name: string): boolean => /^pyheap-snap-[0-9a-f]{3}$/.test(name)
