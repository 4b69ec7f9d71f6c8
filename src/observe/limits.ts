import { processKey, type HostMemory, type LimitUse, type ProcessId, type PythonProcess } from '../model.ts'
import { cgroupDirectories, findMemoryController, type MemoryController } from './memory-controller.ts'
import { memoryCgroup, parseCgroup } from '../proc/parse-cgroup.ts'
import { readSmall } from './read-proc.ts'

/** Finds the limit that a process will hit first. Cgroups that several processes share are read once a sweep. */
export class LimitReader {
  readonly #procRoot: string
  readonly #controller: MemoryController | undefined
  readonly #placements = new Map<string, Placement>()
  readonly #uses = new Map<string, readonly LimitUse[]>()

  constructor({ procRoot, sysRoot }: { readonly procRoot: string; readonly sysRoot: string }) {
    this.#procRoot = procRoot
    this.#controller = findMemoryController(procRoot, sysRoot)
  }

  /** Forgets what the cgroups said. */
  beginSweep(): void {
    this.#uses.clear()
  }

  /** Reads again which cgroup and which rlimit a process has: both can be changed from outside. */
  place({ id, cgroup }: PythonProcess): void {
    const directory = `${this.#procRoot}/${id.pid}`
    this.#placements.set(processKey(id), {
      cgroup: memoryCgroup(parseCgroup(readSmall(`${directory}/cgroup`) ?? '')) ?? cgroup,
      addressSpaceBytes: parseAddressSpaceLimit(readSmall(`${directory}/limits`) ?? ''),
    })
  }

  forget(id: ProcessId): void {
    this.#placements.delete(processKey(id))
  }

  /** The tightest of the cgroups' limits and RLIMIT_AS by the share used; the host's memory where there is neither. */
  tightest(id: ProcessId, virtualBytes: number, host: HostMemory): LimitUse | undefined {
    const placement = this.#placements.get(processKey(id))
    const own = placement === undefined ? [] : this.#usesOf(placement, virtualBytes)
    // A limit above all memory there is will never be the first to be hit; address space is not memory.
    const real = own.filter((use) => use.source === 'rlimit-as' || use.limitBytes < host.totalBytes)
    return tightestOf(real) ?? hostUse(host)
  }

  #usesOf({ cgroup, addressSpaceBytes }: Placement, virtualBytes: number): readonly LimitUse[] {
    if (addressSpaceBytes === undefined) return this.#cgroupUses(cgroup)
    const rlimit: LimitUse = {
      source: 'rlimit-as',
      limitBytes: addressSpaceBytes,
      usedBytes: virtualBytes,
      where: 'RLIMIT_AS',
    }
    return [rlimit, ...this.#cgroupUses(cgroup)]
  }

  #cgroupUses(cgroup: string): readonly LimitUse[] {
    const known = this.#uses.get(cgroup)
    if (known !== undefined) return known
    const uses = this.#controller === undefined ? [] : readCgroupUses(this.#controller, cgroup)
    this.#uses.set(cgroup, uses)
    return uses
  }
}

type Placement = { readonly cgroup: string; readonly addressSpaceBytes: number | undefined }

/** How a cgroup and its ancestors are used, where they are limited. */
export const readCgroupUses = (controller: MemoryController, cgroup: string): readonly LimitUse[] => {
  const read = controller.version === 1 ? readV1 : readV2
  return cgroupDirectories(controller, cgroup).flatMap((place) => {
    const use = read(place.directory)
    return use === undefined ? [] : [{ source: 'cgroup' as const, ...use, where: place.cgroup }]
  })
}

/** The soft RLIMIT_AS in the text of /proc/PID/limits; undefined when it is unlimited. */
export const parseAddressSpaceLimit = (text: string): number | undefined => {
  const soft = /^Max address space +(\d+) /m.exec(text)?.[1]
  return soft === undefined ? undefined : Number(soft)
}

/** The limit with the largest share used. */
export const tightestOf = (uses: readonly LimitUse[]): LimitUse | undefined => {
  let tightest: LimitUse | undefined
  for (const use of uses) {
    if (tightest === undefined || shareOf(use) > shareOf(tightest)) tightest = use
  }
  return tightest
}

const shareOf = ({ usedBytes, limitBytes }: LimitUse): number =>
  limitBytes === 0 ? Number.POSITIVE_INFINITY : usedBytes / limitBytes

const hostUse = ({ totalBytes, availableBytes }: HostMemory): LimitUse | undefined =>
  totalBytes > 0
    ? { source: 'host', limitBytes: totalBytes, usedBytes: totalBytes - availableBytes, where: 'host' }
    : undefined

type Use = { readonly limitBytes: number; readonly usedBytes: number }

// v1 says "no limit" with the largest multiple of a page below 2^63.
const V1_UNLIMITED_BYTES = 2 ** 62

const readV1 = (directory: string): Use | undefined => {
  const stat = parseCounters(readSmall(`${directory}/memory.stat`) ?? '')
  // The hierarchical limit also knows of ancestors above the mount point.
  const limits = [
    readCount(`${directory}/memory.limit_in_bytes`),
    stat.get('hierarchical_memory_limit'),
  ].filter((limit) => limit !== undefined && limit < V1_UNLIMITED_BYTES)
  return use(limits, readCount(`${directory}/memory.usage_in_bytes`), stat.get('total_inactive_file'))
}

const readV2 = (directory: string): Use | undefined => {
  const limits = [readCount(`${directory}/memory.max`), readCount(`${directory}/memory.high`)]
  if (limits.every((limit) => limit === undefined)) return undefined
  const stat = parseCounters(readSmall(`${directory}/memory.stat`) ?? '')
  return use(limits, readCount(`${directory}/memory.current`), stat.get('inactive_file'))
}

const use = (
  limits: readonly (number | undefined)[],
  usageBytes: number | undefined,
  reclaimableBytes = 0,
): Use | undefined => {
  const limitBytes = Math.min(...limits.filter((limit) => limit !== undefined))
  if (usageBytes === undefined || !Number.isFinite(limitBytes)) return undefined
  return { limitBytes, usedBytes: Math.max(0, usageBytes - reclaimableBytes) }
}

// `max` is how v2 says "no limit".
const readCount = (path: string): number | undefined => {
  const text = readSmall(path)?.trim()
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Lines of a name and a number, as in memory.stat and memory.events. */
export const parseCounters = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text.split('\n').flatMap((line) => {
      const [name, value] = line.split(' ')
      return name !== undefined && value !== undefined && /^\d+$/.test(value) ? [[name, Number(value)]] : []
    }),
  )
