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
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
  return {
    threads: field('Threads'),
    children: childrenOf(pid)
      .map((stat) => stat.split(' ')[0])
      .join(' '),
    descriptors: readDescriptors(pid),
    blockedSignals: field('SigBlk'),
    ignoredSignals: field('SigIgn'),
    caughtSignals: field('SigCgt'),
  }
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
