import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Observation, ProcessId, Sample, WatchedProcess } from '../../model.ts'
import { type Line, lineSchema } from './format.ts'

/** An observation from a file of samples, or what is wrong with it at which line. */
export type Recorded =
  | { readonly kind: 'observation'; readonly observation: Observation }
  | { readonly kind: 'malformed'; readonly line: number; readonly detail: string }

const LONGEST_LINE = 64 * 2 ** 20

/** Reads recorded samples one look after the other; a line that cannot be read ends it. */
export async function* readSamples(file: string): AsyncGenerator<Recorded> {
  const decoder = new SampleDecoder()
  let number = 0
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number++
    if (text.trim() === '') continue
    const line = parseLine(text)
    if (typeof line === 'string') {
      yield { kind: 'malformed', line: number, detail: line }
      return
    }
    const observation = decoder.observation(line)
    if (typeof observation === 'string') {
      yield { kind: 'malformed', line: number, detail: observation }
      return
    }
    yield { kind: 'observation', observation }
  }
}

function parseLine(text: string): Line | string {
  if (text.length > LONGEST_LINE) return 'is too long'
  try {
    const parsed = lineSchema.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`
  } catch {
    return 'is no JSON'
  }
}

/** Turns lines that say what has changed into whole observations. */
export class SampleDecoder {
  readonly #processes = new Map<number, WatchedProcess>()
  readonly #samples = new Map<number, Sample>()
  #lastMs = Number.NEGATIVE_INFINITY

  /** What was seen at a line, or why that cannot be. */
  observation(line: Line): Observation | string {
    if (line.at < this.#lastMs) return `at: ${line.at} is before the line before`
    this.#lastMs = line.at
    const appeared = line.appeared.map((given) => this.#appear(given))
    for (const { pid, rss, limit, extras } of line.samples) {
      const process = this.#processes.get(pid)
      if (!process) return `samples: process ${pid} has not appeared`
      this.#samples.set(pid, {
        process: process.id,
        atMs: line.at,
        rssBytes: rss,
        limit: limit && {
          source: limit.source,
          limitBytes: limit.limit,
          usedBytes: limit.used,
          where: limit.where,
        },
        extras,
      })
    }
    const gone = line.gone.flatMap((pid) => this.#forget(pid))
    const samples = [...this.#samples.values()].map((sample) => at(sample, line.at))
    return {
      atMs: line.at,
      samples,
      appeared,
      gone,
      host: { totalBytes: 0, availableBytes: 0 },
      endings: gone
        .filter(({ pid }) => line.oom.includes(pid))
        .map((process) => ({ process, how: 'oom-killed', at: '' })),
    }
  }

  #appear(given: Line['appeared'][number]): WatchedProcess {
    const { pid, start, target, exe, user, unit, cgroup } = given
    const process = {
      id: { bootId: 'recorded', pid, startTicks: start },
      parentPid: 1,
      exe,
      interpreter: exe,
      cmdline: [],
      uid: 0,
      user,
      cgroup,
      target,
      ...(unit !== undefined && { unit }),
    }
    this.#processes.set(pid, process)
    this.#samples.delete(pid)
    return process
  }

  #forget(pid: number): readonly ProcessId[] {
    const process = this.#processes.get(pid)
    this.#processes.delete(pid)
    this.#samples.delete(pid)
    return process ? [process.id] : []
  }
}

/** Who has not changed was looked at all the same. */
const at = (sample: Sample, atMs: number): Sample => ({ ...sample, atMs })
