import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { dirname } from 'node:path'
import { findGdb } from './capture/find-gdb.ts'
import { closeSnapshotCgroup, openSnapshotCgroup } from './capture/snapshot-cgroup.ts'
import { DUMP_ESTIMATE_BYTES } from './dump-stages.ts'
import { places } from './installation.ts'
import { formatBytes } from './report/format.ts'
import { checkFreeSpace } from './store/free-space.ts'

/** One thing that is needed, and whether it is here. */
export type Check = {
  readonly name: string
  /** `optional`: works without, only not as well. */
  readonly result: 'ok' | 'optional' | 'failed'
  readonly detail: string
}

/** What the daemon needs of the machine, as far as a look tells; `doctor` tries more. */
export const checkMachine = async (store: {
  readonly dir: string
  readonly reserveBytes: number
}): Promise<readonly Check[]> => [
  checkRoot(),
  await checkGdb(),
  checkPtrace(),
  checkCgroup(),
  await checkStore(store.dir, store.reserveBytes),
]

/** It is here. */
export const ok = (name: string, detail: string): Check => ({ name, result: 'ok', detail })
/** It is missing, and has to be there. */
export const failed = (name: string, detail: string): Check => ({ name, result: 'failed', detail })

const checkRoot = (): Check =>
  process.getuid?.() === 0
    ? ok('root', `running as root on Linux ${release()}`)
    : failed('root', 'not root: other processes cannot be captured; run it with sudo')

async function checkGdb(): Promise<Check> {
  const gdb = await findGdb()
  return gdb.kind === 'gdb'
    ? ok('gdb', `gdb ${gdb.version}`)
    : failed('gdb', `${gdb.detail}; ${gdb.hint ?? ''}`)
}

function checkPtrace(): Check {
  const file = `${places.procRoot}/sys/kernel/yama/ptrace_scope`
  const scope = existsSync(file) ? readFileSync(file, 'utf8').trim() : '0'
  return scope === '3'
    ? failed('ptrace', 'kernel.yama.ptrace_scope is 3: nobody may trace; it needs a reboot to change')
    : ok('ptrace', `allowed to root (ptrace_scope ${scope})`)
}

function checkCgroup(): Check {
  const cgroup = openSnapshotCgroup(places.procRoot, process.pid)
  closeSnapshotCgroup(cgroup)
  switch (cgroup.kind) {
    case 'cgroup':
      return ok('cgroup', `snapshots are charged to ${dirname(cgroup.path)}`)
    case 'none':
      return {
        name: 'cgroup',
        result: 'optional',
        detail: 'no memory controller: snapshots are charged to nobody',
      }
    case 'failed':
      return failed('cgroup', `no cgroup for snapshots (${cgroup.detail}); in a unit set Delegate=yes`)
    default:
      return cgroup satisfies never
  }
}

async function checkStore(dir: string, reserveBytes: number): Promise<Check> {
  if (!existsSync(dir))
    return { name: 'store', result: 'optional', detail: `${dir} will be made at the first start` }
  const space = await checkFreeSpace(dir, { estimateBytes: DUMP_ESTIMATE_BYTES, reserveBytes })
  return space.kind === 'enough'
    ? ok('store', `${dir}, ${formatBytes(space.freeBytes)} free`)
    : failed('store', `${space.detail}; ${space.hint}`)
}
