import {
  processKey,
  type ContainerNews,
  type Ending,
  type HostMemory,
  type Observation,
  type ProcessId,
  type RssPoint,
  type Sample,
  type WantedExtras,
  type WatchedProcess,
} from '../model.ts'
import { Discoverer } from './discover.ts'
import { ExtrasReader } from './extras.ts'
import { History, type HistoryOptions } from './history.ts'
import { LimitReader } from './limits.ts'
import { ProcessNames, type ProcessNamesOptions } from './name-processes.ts'
import { memorySplit, parseStatus } from '../proc/parse-status.ts'
import { createInspector } from './python.ts'
import { readSmall } from './read-proc.ts'
import { Rests } from './rests.ts'
import { Sampler } from './sampler.ts'

export type ObserverOptions = ProcessNamesOptions & {
  /** How a process that is watched no more has ended. */
  readonly endingOf: (process: ProcessId) => Ending
  readonly procRoot: string
  readonly sysRoot: string
  readonly passwdFile: string
  /** `getconf PAGESIZE`. */
  readonly pageBytes: number
  readonly discoveryIntervalMs: number
  /** Pids never to look at: our own, and our snapshots. */
  readonly isIgnored: (pid: number) => boolean
  /** Whether a sample is near a threshold, so that what its memory is made of is worth reading. */
  readonly isNear: (sample: Sample, process: WatchedProcess) => boolean
  /** What is wanted of a process besides its size; nothing unless told. */
  readonly wants?: (() => WantedExtras) | undefined
  /** Whether one that has not changed for a while may be left out of most sweeps; nobody unless told. */
  readonly mayRest?: ((sample: Sample, process: WatchedProcess) => boolean) | undefined
  readonly readHostMemory: () => Promise<HostMemory>
  readonly history: HistoryOptions
}

/** Looks at everything that is watched, once per call. */
export type Observer = {
  /**
   * `only`: nobody but this process, and where it is not known those who are found by looking for it; else everybody
   * (0 too: it has no name here), and new ones are looked for. With `isRoutine` those who may rest are left out.
   */
  readonly observe: (nowMs: number, only?: number, isRoutine?: boolean) => Promise<Observation>
  /** Looks at everybody without looking for anybody; who is gone is left to the next look. */
  readonly peek: (nowMs: number) => Promise<Pick<Observation, 'atMs' | 'samples' | 'host'>>
  /** Whether a process is watched, is of no interest, or has not been looked at. */
  readonly standing: (pid: number) => 'watched' | 'other' | 'unknown'
  /** How the RSS of a process went until now, for its dump. */
  readonly historyOf: (id: ProcessId, nowMs: number) => readonly RssPoint[]
  readonly close: () => void
}

/** An observer that holds a descriptor for every watched process until it is closed. */
export const createObserver = (options: ObserverOptions): Observer => {
  const discovery = createDiscovery(options)
  const sampler = new Sampler(options)
  const limits = new LimitReader(options)
  const history = new History(options.history)
  const watched = new Map<string, WatchedProcess>()
  const byPid = new Map<number, WatchedProcess>()
  const rests = new Rests(options.mayRest)
  const extras = new ExtrasReader(options)
  let placings = 0
  let sweeps = 0

  const forget = (id: ProcessId): void => {
    watched.delete(processKey(id))
    byPid.delete(id.pid)
    sampler.drop(id)
    limits.forget(id)
    history.forget(id)
    rests.forget(id)
    extras.forget(id)
  }

  const update = async (nowMs: number, isUrgent: boolean): Promise<Discovered> => {
    const change = await discovery.search(nowMs, watched, isUrgent)
    if (change === undefined) return NOTHING
    for (const id of change.gone) forget(id)
    for (const id of change.dismissed) forget(id)
    // Limits hardly ever change: in some sweeps everybody is asked once.
    placings++
    for (const process of watched.values())
      if ((process.id.pid + placings) % SPREAD === 0) limits.place(process)
    for (const process of change.appeared) {
      watched.set(processKey(process.id), process)
      byPid.set(process.id.pid, process)
      rests.add(process)
      limits.place(process)
    }
    return change
  }

  const sample = (process: WatchedProcess, { nowMs, host, wants }: Look): Sample | 'gone' | 'missing' => {
    // Tried again every time: when descriptors run out, they may be there later.
    if (sampler.watch(process.id) === 'gone') return 'gone'
    const reading = sampler.read(process.id)
    if (reading.kind !== 'read') return reading.kind
    history.record(process.id, nowMs, reading.rssBytes)
    const limit = limits.tightest(process.id, reading.virtualBytes, host)
    const { rssBytes } = reading
    const more = wants && extras.read(process.id, rssBytes, wants, nowMs)
    const plain: Sample = {
      process: process.id,
      atMs: nowMs,
      rssBytes,
      limit,
      ...(more && { extras: more }),
    }
    rests.note(plain)
    return options.isNear(plain, process) ? withSplit(plain, options.procRoot) : plain
  }

  const beginLook = (nowMs: number, host: HostMemory): Look => {
    limits.beginSweep()
    extras.beginSweep()
    return { nowMs, host, wants: options.wants?.() }
  }

  return {
    observe: async (nowMs, only, isRoutine = false) => {
      const host = await options.readHostMemory()
      const single = only === undefined ? undefined : byPid.get(only)
      const found = single ? NOTHING : await update(nowMs, only !== undefined)
      const { appeared, gone, dismissed, news, problems } = found
      const look = beginLook(nowMs, host)
      const samples: Sample[] = []
      const ended: ProcessId[] = []
      let missing = 0
      sweeps++
      const everybody = isRoutine ? rests.dueIn(sweeps) : watched.values()
      const others = only === undefined || only === 0 ? everybody : appeared
      for (const process of single ? [single] : others) {
        const result = sample(process, look)
        if (result === 'gone') ended.push(process.id)
        else if (result === 'missing') missing++
        else samples.push(result)
      }
      for (const id of ended) forget(id)
      const unread = missing === 0 ? [] : [`no sample of ${missing} processes`]
      return {
        atMs: nowMs,
        samples,
        appeared,
        gone: [...gone, ...dismissed, ...ended],
        dismissed,
        containers: news,
        endings: [...gone, ...ended].map((id) => options.endingOf(id)),
        host,
        problems: [...problems, ...unread],
      }
    },
    peek: async (nowMs) => {
      const host = await options.readHostMemory()
      const look = beginLook(nowMs, host)
      const samples = [...watched.values()].flatMap((process) => {
        const result = sample(process, look)
        return typeof result === 'string' ? [] : [result]
      })
      return { atMs: nowMs, samples, host }
    },
    standing: (pid) => (byPid.has(pid) ? 'watched' : discovery.knows(pid) ? 'other' : 'unknown'),
    historyOf: (id, nowMs) => history.of(id, nowMs),
    close: () => {
      sampler.close()
      options.containers?.close()
    },
  }
}

/** What holds for all samples of a sweep. */
type Look = {
  readonly nowMs: number
  readonly host: HostMemory
  readonly wants: WantedExtras | undefined
}

type Discovered = {
  readonly appeared: readonly WatchedProcess[]
  readonly gone: readonly ProcessId[]
  readonly dismissed: readonly ProcessId[]
  readonly news: readonly ContainerNews[]
  readonly problems: readonly string[]
}

const NOTHING: Discovered = { appeared: [], gone: [], dismissed: [], news: [], problems: [] }

/** What is known for a while is looked at again once in so many searches: within a minute. */
const SPREAD = 12

type Watched = ReadonlyMap<string, WatchedProcess>

// Looking into a process that hangs must not hold up the samples of the others for long.
const INSPECT_LIMIT_MS = 1000

/** Growth of a process that nobody has looked at brings a search forward, no more often than this. */
const URGENT_SEARCH_MS = 1000

type Discovery = {
  /** Looks for processes when it is time; undefined when it is not. */
  readonly search: (nowMs: number, watched: Watched, isUrgent: boolean) => Promise<Discovered | undefined>
  readonly knows: (pid: number) => boolean
}

const createDiscovery = (options: ObserverOptions): Discovery => {
  const { procRoot, passwdFile } = options
  const bootId = readSmall(`${procRoot}/sys/kernel/random/boot_id`)?.trim() ?? ''
  const discoverer = new Discoverer({
    procRoot,
    inspect: createInspector({ procRoot, passwdFile, bootId }),
    inspectLimitMs: INSPECT_LIMIT_MS,
    isIgnored: options.isIgnored,
    spread: SPREAD,
  })
  const names = new ProcessNames(options)
  let lastMs: number | undefined

  const search: Discovery['search'] = async (nowMs, watched, isUrgent) => {
    const restMs = isUrgent
      ? Math.min(URGENT_SEARCH_MS, options.discoveryIntervalMs)
      : options.discoveryIntervalMs
    if (lastMs !== undefined && nowMs - lastMs < restMs) return undefined
    lastMs = nowMs
    const { appeared, gone, problems } = await discoverer.sweep()
    const { watched: named, others, dismissed, news } = await names.name(appeared, gone, nowMs)
    // After exec a process may be one that no target names any more.
    const left = [...gone, ...others].map(({ id }) => id)
    return {
      appeared: named,
      gone: left.filter((id) => watched.has(processKey(id))),
      dismissed: dismissed.filter((id) => watched.has(processKey(id))),
      news,
      problems,
    }
  }
  return { search, knows: (pid) => discoverer.knows(pid) }
}

const withSplit = (sample: Sample, procRoot: string): Sample => ({
  ...sample,
  split: memorySplit(parseStatus(readSmall(`${procRoot}/${sample.process.pid}/status`) ?? '')),
})
