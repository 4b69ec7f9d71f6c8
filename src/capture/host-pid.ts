import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** The pid, as we see it, of a process that `pid`'s namespace knows as `inner`. Undefined when there is none. */
export function hostPid(procRoot: string, pid: number, inner: number): number | undefined {
  const namespace = readlinkSync(`${procRoot}/${pid}/ns/pid`)
  if (namespace === readlinkSync(`${procRoot}/self/ns/pid`)) return inner
  return readdirSync(procRoot)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((candidate) => innerPid(procRoot, candidate) === inner && isIn(procRoot, candidate, namespace))
}

/** The pid that a process has in its own pid namespace; undefined when it is gone. */
export function innerPid(procRoot: string, pid: number): number | undefined {
  try {
    const line = /^NSpid:\s*(.*)$/m.exec(readFileSync(`${procRoot}/${pid}/status`, 'latin1'))?.[1]
    return line === undefined ? undefined : Number(line.split(/\s+/).at(-1))
  } catch {
    return undefined // it has ended since it was listed
  }
}

function isIn(procRoot: string, pid: number, namespace: string): boolean {
  try {
    return readlinkSync(`${procRoot}/${pid}/ns/pid`) === namespace
  } catch {
    return false // as above
  }
}
