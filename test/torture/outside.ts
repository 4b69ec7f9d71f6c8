import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { childrenOf } from '../setup/service.ts'

/** What a process is seen to be from outside; nothing of it may change by a capture. */
export type Outside = {
  readonly threads: string
  readonly children: string
  readonly descriptors: string
  readonly blockedSignals: string
  readonly ignoredSignals: string
  readonly caughtSignals: string
}

/** Reads it; throws when the process is gone. */
export function lookFromOutside(pid: number): Outside {
  const field = (name: string): string => readField(pid, name)
  return {
    threads: field('Threads'),
    children: childrenOf(pid)
      .map((stat) => stat.split(' ')[0])
      .join(' '),
    descriptors: readDescriptors(pid),
    blockedSignals: readBlocked(pid),
    ignoredSignals: field('SigIgn'),
    caughtSignals: field('SigCgt'),
  }
}

const readField = (pid: number, name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? ''

/**
 * A signal is blocked while its handler runs, and one that runs may have to wait for a processor: only what is blocked at
 * every look is blocked for good.
 */
function readBlocked(pid: number): string {
  let blocked = ~0n
  for (let look = 0; look < 200 && blocked !== 0n; look++) {
    blocked &= BigInt(`0x${readField(pid, 'SigBlk')}`)
    if (look % 10 === 9) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
  }
  return blocked.toString(16).padStart(16, '0')
}

/** Every difference in words. */
export const differences = (before: Outside, after: Outside): string[] =>
  (Object.keys(before) as (keyof Outside)[])
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name} were ${before[name]} and are ${after[name]}`)

/** Whether somebody has left it stopped. */
export const isStopped = (pid: number): boolean => /^\d+ \(.*\) [Tt] /.test(readState(pid))

function readState(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return '' // it has ended
  }
}

function readDescriptors(pid: number): string {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder)
    .map((name) => `${name}=${readlinkSync(`${folder}/${name}`)}`)
    .join(' ')
}
