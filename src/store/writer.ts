import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { processKey } from '../model.ts'

/** The file in an unfinished dump that says who is writing it. */
export const writerFile = '.writer'

/** The key of a running process, for `.writer`; undefined when there is no such process. */
export async function readWriterKey(procRoot: string, pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(join(procRoot, String(pid), 'stat'), 'latin1')
    const bootId = await readFile(join(procRoot, 'sys/kernel/random/boot_id'), 'latin1')
    // The name in parentheses may hold anything, so fields are counted after its last one; starttime is the 20th there.
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return processKey({ bootId: bootId.trim(), pid, startTicks: Number(startTicks) })
  } catch {
    // Gone, or no /proc: either way nobody who could still be writing.
    return undefined
  }
}

/** Whether the process that a `.writer` names is still running. */
export async function isWriterAlive(procRoot: string, key: string): Promise<boolean> {
  const pid = /^[0-9a-f-]{1,40}:([1-9]\d{0,9}):\d+$/.exec(key)?.[1]
  return pid !== undefined && (await readWriterKey(procRoot, Number(pid))) === key
}
