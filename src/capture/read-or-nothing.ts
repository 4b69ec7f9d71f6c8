import { readFileSync } from 'node:fs'

/** A file of /proc as text; empty where the process or the thread has ended since it was listed. */
export function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
