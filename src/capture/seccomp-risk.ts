import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import type { CaptureFailed, Container } from '../model.ts'
import { listThreads } from './threads-at-rest.ts'

/** What the stub asks of the kernel inside the service. */
const NEEDED = ['clone', 'wait4', 'mmap', 'futex', 'rt_sigprocmask', 'rt_sigpending', 'clock_gettime']

/**
 * A seccomp filter may answer the stub's clone with an error, which is harmless, or by killing the service. Refuses
 * unless the filter is known not to kill: container runtimes answer with errors, and systemd says what it installed.
 */
export async function refuseSeccomp(
  process: {
    readonly unit?: string | undefined
    readonly container?: Pick<Container, 'runtime'> | undefined
  },
  filters: number,
): Promise<CaptureFailed | undefined> {
  // A second filter is the service's own, and may do anything; so may the only one of a unit of a whole system inside.
  const { runtime } = process.container ?? {}
  const isOnlyRuntimes = runtime !== undefined && runtime !== 'nspawn' && runtime !== 'lxc'
  if (isOnlyRuntimes && filters <= 1) return undefined
  const shown = process.unit === undefined ? '' : await showUnit(process.unit)
  if (isUnitFilterHarmless(shown)) return undefined
  return {
    kind: 'failed',
    reason: 'seccomp-would-kill',
    detail: 'it runs under a seccomp filter that may kill it for the clone that a snapshot needs',
    hint: 'set SystemCallErrorNumber=EPERM in its unit, beside SystemCallFilter=',
  }
}

/** Reads `systemctl show -p SystemCallFilter -p SystemCallErrorNumber`. Pure. */
export function isUnitFilterHarmless(shown: string): boolean {
  const property = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(shown)?.[1] ?? ''
  const filter = property('SystemCallFilter')
  if (filter === '') return false // the filter is not systemd's: nothing is known about it
  const errorNumber = property('SystemCallErrorNumber')
  if (errorNumber !== '' && errorNumber !== '0' && errorNumber !== 'kill') return true
  const calls = new Set(filter.replace(/^~/, '').split(/\s+/))
  return !filter.startsWith('~') && NEEDED.every((call) => calls.has(call))
}

async function showUnit(unit: string): Promise<string> {
  const properties = ['-p', 'SystemCallFilter', '-p', 'SystemCallErrorNumber']
  const { stdout } = await execa('systemctl', ['show', ...properties, '--', unit], {
    reject: false,
    timeout: 5000,
    stdin: 'ignore',
  })
  return typeof stdout === 'string' ? stdout : ''
}

/** The strictest seccomp mode of any thread, and the most filters: they belong to threads, not to the process. */
export function readSeccomp(
  procRoot: string,
  pid: number,
): { readonly mode: number; readonly filters: number } {
  const statuses = listThreads(procRoot, pid).map((tid) =>
    readStatus(`${procRoot}/${pid}/task/${tid}/status`),
  )
  const most = (name: string): number =>
    Math.max(
      0,
      ...statuses.map((status) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0)),
    )
  return { mode: most('Seccomp'), filters: most('Seccomp_filters') }
}

function readStatus(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // the thread has ended
  }
}
