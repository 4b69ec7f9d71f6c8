import { processKey, type ProcessId, type RssPoint } from '../model.ts'

/** What is kept of each process: one point per resolution step, as far back as the window. */
export type HistoryOptions = { readonly windowMs: number; readonly resolutionMs: number }

/** How the RSS of processes went, for the dump. */
export class History {
  readonly #options: HistoryOptions
  readonly #points = new Map<string, Point[]>()

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /** Adds a point; it replaces the last one while both are in the same step. */
  record(id: ProcessId, atMs: number, rssBytes: number): void {
    const { windowMs, resolutionMs } = this.#options
    const points = this.#points.get(processKey(id)) ?? []
    const last = points.at(-1)
    if (last !== undefined && step(last.atMs, resolutionMs) === step(atMs, resolutionMs)) points.pop()
    points.push({ atMs, rssBytes })
    const firstKept = points.findIndex((point) => point.atMs >= atMs - windowMs)
    if (firstKept > 0) points.splice(0, firstKept)
    this.#points.set(processKey(id), points)
  }

  /** The points of a process, oldest first. */
  of(id: ProcessId, nowMs: number): readonly RssPoint[] {
    return (this.#points.get(processKey(id)) ?? []).map(({ atMs, rssBytes }) => ({
      secondsAgo: Math.round(nowMs - atMs) / 1000,
      rssBytes,
    }))
  }

  forget(id: ProcessId): void {
    this.#points.delete(processKey(id))
  }
}

type Point = { readonly atMs: number; readonly rssBytes: number }

const step = (atMs: number, resolutionMs: number): number => Math.floor(atMs / resolutionMs)
