import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A memory cgroup of our own, v1 or v2, for services under test. */
export type MemoryCgroup = {
  readonly path: string
  readonly add: (pid: number) => void
  readonly setLimit: (bytes: number) => void
  /** How often the kernel's OOM killer struck in it. */
  readonly oomKills: () => number
  readonly usedBytes: () => number
  readonly remove: () => Promise<void>
}

const V1 = '/sys/fs/cgroup/memory'
const V2 = '/sys/fs/cgroup'

/** Which one limits memory here. */
export function memoryCgroupVersion(): 1 | 2 | undefined {
  if (existsSync(`${V1}/memory.limit_in_bytes`)) return 1
  const controllers = `${V2}/cgroup.controllers`
  return existsSync(controllers) && readFileSync(controllers, 'utf8').includes('memory') ? 2 : undefined
}

/** Makes it; undefined where the machine has no writable memory controller. */
export function createMemoryCgroup(name: string, limitBytes?: number): MemoryCgroup | undefined {
  const isV1 = existsSync(`${V1}/memory.limit_in_bytes`)
  if (!isV1 && !existsSync(`${V2}/cgroup.controllers`)) return undefined
  const path = `${isV1 ? V1 : V2}/${name}-${process.pid}`
  try {
    if (!isV1) writeFileSync(`${V2}/cgroup.subtree_control`, '+memory')
    mkdirSync(path, { recursive: true })
  } catch {
    return undefined
  }
  const setLimit = (bytes: number): void =>
    writeFileSync(`${path}/${isV1 ? 'memory.limit_in_bytes' : 'memory.max'}`, String(bytes))
  if (limitBytes !== undefined) setLimit(limitBytes)
  return {
    path,
    setLimit,
    add: (pid) => writeFileSync(`${path}/cgroup.procs`, String(pid)),
    oomKills: () => readOomKills(`${path}/${isV1 ? 'memory.oom_control' : 'memory.events'}`),
    usedBytes: () =>
      Number(readFileSync(`${path}/${isV1 ? 'memory.usage_in_bytes' : 'memory.current'}`, 'utf8')),
    remove: () => removeCgroup(path),
  }
}

const readOomKills = (file: string): number =>
  Number(/^oom_kill (\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)

/** It can only be removed when its last process is really gone. */
async function removeCgroup(path: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++)
    try {
      rmdirSync(path)
      return
    } catch {
      await sleep(50)
    }
}
