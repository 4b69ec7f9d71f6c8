import type { LimitUse, OutsideEvidence, PythonProcess, RssPoint } from '../model.ts'
import { parseCounters } from './limits.ts'
import { cgroupDirectories, findMemoryController } from './memory-controller.ts'
import { parseStatus } from '../proc/parse-status.ts'
import { readSmall } from './read-proc.ts'

export type OutsideOptions = {
  readonly procRoot: string
  readonly sysRoot: string
  readonly process: PythonProcess
  readonly history: readonly RssPoint[]
  readonly limit?: LimitUse | undefined
  /** Wall clock, ISO 8601. */
  readonly takenAt: string
}

/** What the kernel tells about a process without touching it. What cannot be read is left out. */
export const readOutsideEvidence = (options: OutsideOptions): OutsideEvidence => {
  const { procRoot, sysRoot, process, history, limit, takenAt } = options
  const directory = `${procRoot}/${process.id.pid}`
  const controller = findMemoryController(procRoot, sysRoot)
  const cgroup = controller && cgroupDirectories(controller, process.cgroup)[0]?.directory
  return {
    takenAt,
    status: readStatus(directory),
    limits: parseLimits(readSmall(`${directory}/limits`) ?? ''),
    cgroup: {
      path: process.cgroup,
      counters: cgroup === undefined ? {} : readCounters(cgroup),
      ...(limit === undefined ? {} : { limit }),
    },
    pressure: readPressure(procRoot, cgroup),
    history,
  }
}

const STATUS_FIELDS = `
  State PPid TracerPid Uid Gid NSpid Threads FDSize Seccomp NoNewPrivs VmPeak VmSize VmLck
  VmPin VmHWM VmRSS RssAnon RssFile RssShmem VmData VmStk VmExe VmLib VmPTE VmSwap
  HugetlbPages THP_enabled voluntary_ctxt_switches nonvoluntary_ctxt_switches`
  .trim()
  .split(/\s+/)

const readStatus = (directory: string): Readonly<Record<string, string>> => {
  const fields = parseStatus(readSmall(`${directory}/status`) ?? '')
  return present([
    ...STATUS_FIELDS.map((name) => [name, fields.get(name)] as const),
    ['oom_score', readSmall(`${directory}/oom_score`)?.trim()],
    ['oom_score_adj', readSmall(`${directory}/oom_score_adj`)?.trim()],
  ])
}

/** The rows of /proc/PID/limits, without their head. */
export const parseLimits = (text: string): OutsideEvidence['limits'] =>
  text.split('\n').flatMap((line) => {
    const match = /^(Max .*?) {2,}(\S+) +(\S+)/.exec(line)
    if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return []
    return [{ name: match[1], soft: match[2], hard: match[3] }]
  })

const SINGLE_COUNTERS = `
  memory.current memory.peak memory.max memory.high memory.low memory.min memory.swap.current
  memory.swap.max memory.usage_in_bytes memory.max_usage_in_bytes memory.limit_in_bytes
  memory.failcnt memory.memsw.usage_in_bytes memory.kmem.usage_in_bytes`
  .trim()
  .split(/\s+/)

const COUNTER_FILES = ['memory.stat', 'memory.events', 'memory.events.local', 'memory.oom_control'] as const
const MAX_COUNTERS = 500
// v1 has no word for "no limit", only a number near 2^63.
const UNLIMITED = 2 ** 62

const readCounters = (directory: string): Readonly<Record<string, number>> => {
  const single = SINGLE_COUNTERS.flatMap((name) => {
    const text = readSmall(`${directory}/${name}`)?.trim()
    return text !== undefined && /^\d+$/.test(text) ? [[name, Number(text)] as const] : []
  })
  const many = COUNTER_FILES.flatMap((file) => {
    const counters = parseCounters(readSmall(`${directory}/${file}`) ?? '')
    return Array.from(counters, ([name, value]) => [`${file}:${name}`, value] as const)
  })
  const limited = [...single, ...many].filter(([, value]) => value < UNLIMITED)
  return Object.fromEntries(limited.slice(0, MAX_COUNTERS))
}

const readPressure = (procRoot: string, cgroup: string | undefined): Readonly<Record<string, string>> =>
  present([
    ['host', readSmall(`${procRoot}/pressure/memory`)?.trim()],
    ['cgroup', cgroup === undefined ? undefined : readSmall(`${cgroup}/memory.pressure`)?.trim()],
  ])

const present = (
  entries: readonly (readonly [string, string | undefined])[],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  )
