import { readlinkSync } from 'node:fs'

/** The kernel's own number for it, the same on every machine. */
const INITIAL = 'pid:[4026531836]'

/** Whether the pids that the kernel tells of are those that we see. */
export function isInitialPidNamespace(procRoot: string): boolean {
  try {
    return readlinkSync(`${procRoot}/self/ns/pid`) === INITIAL
  } catch {
    return true
  }
}
