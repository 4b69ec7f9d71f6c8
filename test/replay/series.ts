import type { Observation, WatchedProcess } from '../../src/model.ts'

// How memory goes in services that are well and in some that are not. Shaped after what services do, with noise that is
// the same in every run; each has a cgroup of its own with a limit, at which the kernel kills it.

export const MiB = 2 ** 20
const GiB = 2 ** 30
const SECOND = 1000
const MINUTE = 60 * SECOND

/** RSS in bytes at a time since the start, of one of several processes. */
type Curve = (ms: number, noise: () => number) => number

export type Series = {
  readonly name: string
  readonly isHealthy: boolean
  readonly lengthMs: number
  readonly stepMs: number
  readonly limitBytes: number
  readonly curve: Curve
  /** Processes that share the cgroup, all alike. */
  readonly workers?: number
  /** Page cache that cannot be dropped at once, on top of the processes. */
  readonly cache?: Curve
  /** Short-lived processes that come and go in every step. */
  readonly storm?: number
}

const flat =
  (mib: number, wobbleMib = 2): Curve =>
  (_, noise) =>
    (mib + wobbleMib * (noise() - 0.5)) * MiB

const series = (given: Partial<Series> & Pick<Series, 'name' | 'isHealthy' | 'curve'>): Series => ({
  lengthMs: 180 * MINUTE,
  stepMs: 5 * SECOND,
  limitBytes: GiB,
  ...given,
})

export const CORPUS: readonly Series[] = [
  series({ name: 'idle', isHealthy: true, curve: flat(300, 10) }),
  series({
    // Garbage collection gives back what was allocated, every ten minutes.
    name: 'sawtooth',
    isHealthy: true,
    curve: (ms, noise) => (200 + 200 * ((ms % (10 * MINUTE)) / (10 * MINUTE)) + 5 * noise()) * MiB,
  }),
  series({
    name: 'warm-up',
    isHealthy: true,
    curve: (ms, noise) => (80 + 520 * (1 - Math.exp(-ms / (8 * MINUTE))) + 3 * noise()) * MiB,
  }),
  series({
    // Arenas that never become free: up in steps, ever smaller ones, for half an hour to two thirds of the limit.
    name: 'plateau',
    isHealthy: true,
    curve: (ms) => (300 + 380 * (1 - 0.5 ** Math.floor(ms / (5 * MINUTE)))) * MiB,
  }),
  series({
    name: 'batch',
    isHealthy: true,
    curve: (ms, noise) => (ms % (30 * MINUTE) < 2 * MINUTE ? 700 : 300) * MiB + 10 * MiB * noise(),
  }),
  series({
    // A request in a thousand needs a lot for a moment.
    name: 'spikes',
    isHealthy: true,
    stepMs: SECOND,
    lengthMs: 60 * MINUTE,
    curve: (ms, noise) => (ms % (7 * MINUTE) < 4 * SECOND ? 850 : 400) * MiB + 5 * MiB * noise(),
  }),
  series({
    name: 'page cache',
    isHealthy: true,
    curve: flat(350, 6),
    cache: (_, noise) => 350 * noise() * MiB,
  }),
  series({
    name: 'flapping',
    isHealthy: true,
    stepMs: SECOND,
    lengthMs: 60 * MINUTE,
    curve: (ms) => (ms % (8 * SECOND) < 4 * SECOND ? 780 : 740) * MiB,
  }),
  series({ name: 'fork storm', isHealthy: true, lengthMs: 20 * MINUTE, curve: flat(250), storm: 40 }),
  series({
    name: 'slow leak',
    isHealthy: false,
    lengthMs: 480 * MINUTE,
    stepMs: 10 * SECOND,
    curve: (ms, noise) => (200 + 2 * (ms / MINUTE) + 4 * noise()) * MiB,
  }),
  series({
    name: 'leak below a sawtooth',
    isHealthy: false,
    lengthMs: 300 * MINUTE,
    curve: (ms, noise) =>
      (200 + 3 * (ms / MINUTE) + 120 * ((ms % (8 * MINUTE)) / (8 * MINUTE)) + 5 * noise()) * MiB,
  }),
  series({
    // Only some requests leak, in bursts.
    name: 'leak in bursts',
    isHealthy: false,
    lengthMs: 300 * MINUTE,
    curve: (ms, noise) => (200 + 60 * Math.floor(ms / (15 * MINUTE)) + 4 * noise()) * MiB,
  }),
  series({
    name: 'fast leak',
    isHealthy: false,
    stepMs: SECOND,
    lengthMs: 30 * MINUTE,
    curve: (ms, noise) => (150 + 1.5 * (ms / SECOND) + 2 * noise()) * MiB,
  }),
  series({
    name: 'runaway',
    isHealthy: false,
    stepMs: SECOND,
    lengthMs: 20 * MINUTE,
    curve: (ms) => (200 + Math.max(0, ms - 10 * MINUTE) * 0.05) * MiB,
  }),
  series({
    name: 'workers that leak together',
    isHealthy: false,
    lengthMs: 240 * MINUTE,
    limitBytes: 4 * GiB,
    workers: 8,
    curve: (ms, noise) => (150 + 2.5 * (ms / MINUTE) + 4 * noise()) * MiB,
  }),
]

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const worker = (pid: number, target = 'service'): WatchedProcess => ({
  id: { bootId: 'corpus', pid, startTicks: pid },
  parentPid: 1,
  exe: '/usr/bin/python3',
  interpreter: '/usr/bin/python3',
  cmdline: [],
  uid: 0,
  user: 'www-data',
  cgroup: '/service',
  target,
})

/** What would be seen of it, look by look, until it is over or the kernel kills it. */
export function* observe(given: Series): Generator<Observation> {
  const { name, stepMs, lengthMs, limitBytes, workers = 1, storm = 0 } = given
  const noise = seeded(Buffer.from(name).reduce((sum, byte) => sum * 31 + byte, 7))
  const processes = Array.from({ length: workers }, (_, index) => worker(100 + index))
  const host = { totalBytes: 64 * GiB, availableBytes: 48 * GiB }
  let passing: WatchedProcess[] = []
  for (let atMs = 0; atMs <= lengthMs; atMs += stepMs) {
    const came = Array.from({ length: storm }, (_, index) =>
      worker(1000 + (((atMs / stepMs) * storm + index) % 30_000)),
    )
    const gone = passing.map(({ id }) => id)
    passing = came
    const sizes = processes.map(() => Math.round(given.curve(atMs, noise)))
    const cacheBytes = Math.max(0, Math.round(given.cache?.(atMs, noise) ?? 0))
    const usedBytes = sizes.reduce((sum, size) => sum + size, 0) + cacheBytes
    const limit = { source: 'cgroup' as const, limitBytes, usedBytes, where: '/service' }
    const extras = { ageMs: atMs }
    const isKilled = usedBytes >= limitBytes
    const largest = processes[0]
    yield {
      atMs,
      samples: isKilled
        ? []
        : [
            ...processes.map(({ id }, index) => ({
              process: id,
              atMs,
              rssBytes: sizes[index] ?? 0,
              limit,
              extras,
            })),
            ...came.map(({ id }) => ({ process: id, atMs, rssBytes: 12 * MiB, limit, extras: { ageMs: 0 } })),
          ],
      appeared: atMs === 0 ? [...processes, ...came] : came,
      gone: isKilled && largest ? [...gone, largest.id] : gone,
      host,
      endings: isKilled && largest ? [{ process: largest.id, how: 'oom-killed', at: '' }] : [],
    }
    if (isKilled) return
  }
}
