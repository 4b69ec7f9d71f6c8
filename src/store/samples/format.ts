import { z } from 'zod'
import type { LimitUse, Observation, Sample, SampleExtras, WatchedProcess } from '../../model.ts'

// One JSON object a line: what has changed since the line before, so that hours of calm cost little.

const count = z.number().nonnegative()
const pid = z.int().min(1).max(4_194_304)
const short = z.string().max(4096)

const limitSchema = z.object({
  source: z.enum(['cgroup', 'rlimit-as', 'host']),
  limit: count,
  used: count,
  where: short,
})

const processSchema = z.object({
  pid,
  start: count,
  target: short,
  exe: short.default(''),
  user: short.default(''),
  unit: short.exactOptional(),
  cgroup: short.default('/'),
})

const sampleSchema = z.object({
  pid,
  rss: count,
  limit: limitSchema.exactOptional(),
  extras: z.custom<SampleExtras>((value) => typeof value === 'object' && value !== null).exactOptional(),
})

/** A line of recorded samples. */
export const lineSchema = z.object({
  /** Milliseconds, by a clock that only goes forward. */
  at: count,
  appeared: z.array(processSchema).max(100_000).default([]),
  samples: z.array(sampleSchema).max(100_000).default([]),
  gone: z.array(pid).max(100_000).default([]),
  /** Of those who are gone: whom the OOM killer took. */
  oom: z.array(pid).max(100_000).default([]),
})
export type Line = z.output<typeof lineSchema>

/** The share of a limit that is worth telling. */
const NEWS = 0.001

/** Turns observations into lines that say what has changed. */
export class SampleEncoder {
  readonly #last = new Map<number, { readonly rss: number; readonly used: number }>()

  /** The line of an observation: its time, and what has changed. */
  line({ atMs, appeared, samples, gone, endings = [] }: Observation): string {
    const changed = samples.filter((sample) => this.#isNews(sample))
    for (const sample of changed)
      this.#last.set(sample.process.pid, { rss: sample.rssBytes, used: sample.limit?.usedBytes ?? 0 })
    for (const { pid: ended } of gone) this.#last.delete(ended)
    const line = {
      at: Math.round(atMs),
      ...(appeared.length > 0 && { appeared: appeared.map(encodeProcess) }),
      ...(changed.length > 0 && { samples: changed.map(encodeSample) }),
      ...(gone.length > 0 && { gone: gone.map(({ pid: ended }) => ended) }),
      ...(endings.some(({ how }) => how === 'oom-killed') && {
        oom: endings.filter(({ how }) => how === 'oom-killed').map(({ process }) => process.pid),
      }),
    }
    return `${JSON.stringify(line)}\n`
  }

  /** After the beginning of a file everybody has to be told again. */
  reset(): void {
    this.#last.clear()
  }

  #isNews({ process, rssBytes, limit, extras }: Sample): boolean {
    const last = this.#last.get(process.pid)
    if (last === undefined || last.rss !== rssBytes || extras !== undefined) return true
    return limit !== undefined && Math.abs(limit.usedBytes - last.used) > limit.limitBytes * NEWS
  }
}

const encodeProcess = ({ id, target, exe, user, unit, cgroup }: WatchedProcess): object => ({
  pid: id.pid,
  start: id.startTicks,
  target,
  exe,
  user,
  ...(unit !== undefined && { unit }),
  cgroup,
})

const encodeSample = ({ process, rssBytes, limit, extras }: Sample): object => ({
  pid: process.pid,
  rss: rssBytes,
  ...(limit && { limit: encodeLimit(limit) }),
  ...(extras && { extras }),
})

const encodeLimit = ({ source, limitBytes, usedBytes, where }: LimitUse): object => ({
  source,
  limit: limitBytes,
  used: usedBytes,
  where,
})
