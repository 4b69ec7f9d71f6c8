import {
  processKey,
  type MemoryEvent,
  type Pressure,
  type ProcessId,
  type SampleExtras,
  type WantedExtras,
} from '../model.ts'
import { memoryCgroup, parseCgroup } from '../proc/parse-cgroup.ts'
import { findV2, parseMounts } from '../proc/parse-mounts.ts'
import { parseStatus } from '../proc/parse-status.ts'
import { parseCounters } from './limits.ts'
import { cgroupDirectories, findMemoryController, type MemoryController } from './memory-controller.ts'
import { readSmall } from './read-proc.ts'

/** Reading smaps_rollup stops the process from mapping memory, 17 ms for each GB here: so no more often than this. */
const PROPORTIONAL_MS = 60_000
/** Which cgroup a process is in hardly ever changes. */
const PLACE_MS = 20_000
const TICK_MS = 10 // USER_HZ is 100 on every Linux

type Place = {
  readonly readMs: number
  readonly unified: string | undefined
  readonly memory: string | undefined
}
type Proportional = { readonly readMs: number; readonly pssBytes?: number; readonly ussBytes?: number }

/** Reads what rules want to know; cgroups that several processes share are read once a sweep. */
export class ExtrasReader {
  readonly #procRoot: string
  readonly #controller: MemoryController | undefined
  readonly #unified: MemoryController | undefined
  readonly #places = new Map<string, Place>()
  readonly #proportional = new Map<string, Proportional>()
  readonly #read = new Map<string, unknown>()

  constructor({ procRoot, sysRoot }: { readonly procRoot: string; readonly sysRoot: string }) {
    this.#procRoot = procRoot
    this.#controller = findMemoryController(procRoot, sysRoot)
    const v2 = findV2(parseMounts(readSmall(`${procRoot}/self/mountinfo`) ?? ''))
    this.#unified = v2 && {
      version: 2,
      root: v2.root,
      mountPoint: v2.mountPoint.replace(/^\/sys(?=\/)/, sysRoot),
    }
  }

  /** Forgets what cgroups and the host said. */
  beginSweep(): void {
    this.#read.clear()
  }

  forget(id: ProcessId): void {
    this.#places.delete(processKey(id))
    this.#proportional.delete(processKey(id))
  }

  /** What is wanted of a process now; undefined where nothing is. */
  read(id: ProcessId, rssBytes: number, wants: WantedExtras, nowMs: number): SampleExtras | undefined {
    const isLarge = rssBytes > (wants.proportionalAboveBytes ?? Infinity)
    const isOfCgroup = wants.cgroupPressure || wants.events
    if (!isLarge && !isOfCgroup && !isOfHost(wants)) return undefined
    const place = isOfCgroup ? this.#placeOf(id, nowMs) : undefined
    return {
      ...(wants.swap && { swapBytes: this.#swap(id) }),
      ...(wants.age && { ageMs: this.#age(id) }),
      ...(isLarge && this.#proportionalOf(id, nowMs)),
      ...((wants.hostPressure || wants.cgroupPressure) && { pressure: this.#pressures(wants, place) }),
      ...(wants.events && { events: this.#events(place?.memory) }),
    }
  }

  #pressures(wants: WantedExtras, place: Place | undefined): SampleExtras['pressure'] {
    const host = wants.hostPressure ? this.#pressure(`${this.#procRoot}/pressure/memory`) : undefined
    const cgroup = wants.cgroupPressure ? this.#cgroupPressure(place?.unified) : undefined
    return { ...(host && { host }), ...(cgroup && { cgroup }) }
  }

  #once<T>(key: string, read: () => T): T {
    if (!this.#read.has(key)) this.#read.set(key, read())
    return this.#read.get(key) as T
  }

  #placeOf(id: ProcessId, nowMs: number): Place {
    const key = processKey(id)
    const known = this.#places.get(key)
    if (known && nowMs - known.readMs < PLACE_MS) return known
    const lines = parseCgroup(readSmall(`${this.#procRoot}/${id.pid}/cgroup`) ?? '')
    const unified = lines.find(({ hierarchy }) => hierarchy === 0)?.path
    const place = { readMs: nowMs, unified, memory: memoryCgroup(lines) }
    this.#places.set(key, place)
    return place
  }

  #swap({ pid }: ProcessId): number | undefined {
    const text = readSmall(`${this.#procRoot}/${pid}/status`) ?? ''
    const kib = Number.parseInt(parseStatus(text).get('VmSwap') ?? '', 10)
    return Number.isFinite(kib) ? kib * 1024 : undefined
  }

  #age({ startTicks }: ProcessId): number | undefined {
    const uptime = this.#once('uptime', () => Number.parseFloat(readSmall(`${this.#procRoot}/uptime`) ?? ''))
    return Number.isFinite(uptime) ? Math.max(0, uptime * 1000 - startTicks * TICK_MS) : undefined
  }

  #proportionalOf(id: ProcessId, nowMs: number): Omit<Proportional, 'readMs'> {
    const key = processKey(id)
    let known = this.#proportional.get(key)
    if (!known || nowMs - known.readMs >= PROPORTIONAL_MS) {
      known = { readMs: nowMs, ...parseRollup(readSmall(`${this.#procRoot}/${id.pid}/smaps_rollup`) ?? '') }
      this.#proportional.set(key, known)
    }
    const { pssBytes, ussBytes } = known
    return { ...(pssBytes !== undefined && { pssBytes }), ...(ussBytes !== undefined && { ussBytes }) }
  }

  #pressure(file: string): Pressure | undefined {
    return this.#once(file, () => parsePressure(readSmall(file) ?? ''))
  }

  #cgroupPressure(cgroup: string | undefined): Pressure | undefined {
    const [own] = cgroup === undefined || !this.#unified ? [] : cgroupDirectories(this.#unified, cgroup)
    return own && this.#pressure(`${own.directory}/memory.pressure`)
  }

  #events(cgroup: string | undefined): SampleExtras['events'] {
    const controller = this.#controller
    const [own] = cgroup === undefined || !controller ? [] : cgroupDirectories(controller, cgroup)
    if (!own) return undefined
    return this.#once(`events ${own.directory}`, () =>
      controller?.version === 2
        ? pickEvents(parseCounters(readSmall(`${own.directory}/memory.events`) ?? ''))
        : readEventsV1(own.directory),
    )
  }
}

const isOfHost = ({ swap, age, hostPressure }: WantedExtras): boolean => swap || age || hostPressure

/** `some avg10=0.12 avg60=0.05 avg300=0.01 total=1234`, and the same of `full`; undefined when it is not that. */
export function parsePressure(text: string): Pressure | undefined {
  const line = (name: string) => {
    const [, ten, sixty, more] =
      new RegExp(String.raw`^${name} avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+)`, 'm').exec(text) ?? []
    if (ten === undefined || sixty === undefined || more === undefined) return undefined
    return { '10s': Number(ten) / 100, '1m': Number(sixty) / 100, '5m': Number(more) / 100 }
  }
  const [some, full] = [line('some'), line('full')]
  return some && full && { some, full }
}

/** The sums of smaps_rollup. */
export function parseRollup(text: string): { readonly pssBytes?: number; readonly ussBytes?: number } {
  const kib = (name: string): number | undefined => {
    const found = new RegExp(String.raw`^${name}:\s+(\d+) kB$`, 'm').exec(text)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  const pss = kib('Pss')
  const [clean, dirty] = [kib('Private_Clean'), kib('Private_Dirty')]
  return {
    ...(pss !== undefined && { pssBytes: pss * 1024 }),
    ...(clean !== undefined && dirty !== undefined && { ussBytes: (clean + dirty) * 1024 }),
  }
}

const pickEvents = (counters: ReadonlyMap<string, number>): SampleExtras['events'] => {
  const pick = (name: MemoryEvent): Partial<Record<MemoryEvent, number>> => {
    const count = counters.get(name)
    return count === undefined ? {} : { [name]: count }
  }
  return { ...pick('high'), ...pick('max'), ...pick('oom_kill') }
}

function readEventsV1(directory: string): SampleExtras['events'] {
  const failures = Number.parseInt(readSmall(`${directory}/memory.failcnt`) ?? '', 10)
  const kills = parseCounters(readSmall(`${directory}/memory.oom_control`) ?? '').get('oom_kill')
  return {
    ...(Number.isFinite(failures) && { max: failures }),
    ...(kills !== undefined && { oom_kill: kills }),
  }
}
