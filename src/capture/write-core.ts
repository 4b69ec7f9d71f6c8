import { readFileSync, rmSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseMaps } from '../proc/maps.ts'
import { GdbSession } from './gdb-session.ts'
import type { OpenGdb } from './open-gdb.ts'

/** Where a file of a dump that is begun is to be written. */
export type FilePlace = {
  /** Undefined when there is no such place. */
  readonly path: Promise<string | undefined>
  /** What has to stay free on that disk. */
  readonly reserveBytes: number
}

export type CoreSettings = FilePlace & {
  readonly procRoot: string
  readonly openGdb: OpenGdb
  readonly timeoutMs: number
}

/**
 * Writes a core of a process that may stand still for it: a snapshot, never a service. Answers why there is none, if
 * there is none; then nothing is left behind.
 */
export async function writeCore(pid: number, settings: CoreSettings): Promise<string | undefined> {
  const path = await settings.path
  if (path === undefined) return 'no core: there is no dump to write it into'
  const refused = refuseSpace(pid, path, settings)
  if (refused !== undefined) return refused
  const gdb = await settings.openGdb()
  if (!(gdb instanceof GdbSession)) return `no core: ${gdb.detail}`
  try {
    const commands = [`attach ${pid}`, `gcore ${path}`, 'printf "pyheap-core\\n"']
    const answer = await gdb.run(commands, settings.timeoutMs)
    if (answer.kind === 'answer' && answer.output.includes('pyheap-core')) return undefined
    rmSync(path, { force: true })
    return answer.kind === 'timed-out'
      ? `no core: it took longer than capture.timeout (${settings.timeoutMs / 1000} s)`
      : `no core: gdb: ${answer.output.trim().split('\n').slice(-3).join(' ').slice(0, 300)}`
  } finally {
    await gdb.close()
    wake(pid)
  }
}

/** All that may have been written to goes into a core, touched or not. */
function refuseSpace(
  pid: number,
  path: string,
  { procRoot, reserveBytes }: CoreSettings,
): string | undefined {
  const needed = parseMaps(readFileSync(`${procRoot}/${pid}/maps`, 'latin1'))
    .filter(({ permissions }) => permissions.startsWith('rw'))
    .reduce((sum, { start, end }) => sum + end - start, 0)
  const { bavail, bsize } = statfsSync(dirname(path))
  const free = bavail * bsize - reserveBytes
  return free >= needed
    ? undefined
    : `no core: it may take ${needed} bytes, and ${free} are free besides store.reserve`
}

/** A gdb that was killed leaves it stopped, and then it would never go on. */
function wake(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // it has ended meanwhile, which its reader finds out
  }
}
