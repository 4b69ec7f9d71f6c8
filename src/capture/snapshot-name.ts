import { createHash } from 'node:crypto'

/**
 * What the snapshots of one run directory call themselves, in the 15 characters that a process has for its name. Daemons
 * with run directories of their own do not end each other's.
 */
export const snapshotName = (runDir: string): string => `pyheap-snap-${digits(runDir, 3)}`

/** What a snapshot calls itself in which an operator works: captures go on beside it and leave it alone. */
export const consoleName = (runDir: string): string => `pyheap-shell-${digits(runDir, 2)}`

/** Whether a process goes by the name of a snapshot, whoever took it and whatever for. */
export const isSnapshotName = (name: string): boolean =>
  /^pyheap-(snap-[0-9a-f]{3}|shell-[0-9a-f]{2})$/.test(name)

const digits = (runDir: string, count: number): string =>
  createHash('sha256').update(runDir).digest('hex').slice(0, count)
