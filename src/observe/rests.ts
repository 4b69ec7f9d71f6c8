import { processKey, type ProcessId, type Sample, type WatchedProcess } from '../model.ts'

/** Looks in a row that found a process as it was. */
const CALM_LOOKS = 10
/** A process that rests is looked at in one of so many sweeps. */
const REST_SWEEPS = 16

/** Who is watched: those who have not changed for a while rest, and are looked at more rarely until they do. */
export class Rests {
  readonly #mayRest: ((sample: Sample, process: WatchedProcess) => boolean) | undefined
  readonly #awake = new Map<string, Watching>()
  /** By the sweep in which their turn comes. */
  readonly #resting = Array.from({ length: REST_SWEEPS }, () => new Map<string, Watching>())

  constructor(mayRest?: (sample: Sample, process: WatchedProcess) => boolean) {
    this.#mayRest = mayRest
  }

  add(process: WatchedProcess): void {
    this.forget(process.id)
    this.#awake.set(processKey(process.id), { process, rssBytes: -1, looks: 0 })
  }

  /** Adds what a look has found. */
  note(sample: Sample): void {
    const key = processKey(sample.process)
    const shelf = this.#shelfOf(sample.process)
    const known = this.#awake.get(key) ?? shelf.get(key)
    if (this.#mayRest === undefined || known === undefined) return
    known.looks = known.rssBytes === sample.rssBytes ? known.looks + 1 : 0
    known.rssBytes = sample.rssBytes
    // Asked at every look from then on, as thresholds and limits may change.
    const rests = known.looks >= CALM_LOOKS && this.#mayRest(sample, known.process)
    const [from, to] = rests ? [this.#awake, shelf] : [shelf, this.#awake]
    if (from.delete(key)) to.set(key, known)
  }

  /** Who is looked at in this sweep. */
  dueIn(sweep: number): readonly WatchedProcess[] {
    return [this.#awake, this.#resting[sweep % REST_SWEEPS]].flatMap((some) =>
      Array.from(some?.values() ?? [], ({ process }) => process),
    )
  }

  forget(id: ProcessId): void {
    const key = processKey(id)
    this.#awake.delete(key)
    this.#shelfOf(id).delete(key)
  }

  #shelfOf({ pid }: ProcessId): Map<string, Watching> {
    return this.#resting[pid % REST_SWEEPS] ?? this.#awake
  }
}

type Watching = { readonly process: WatchedProcess; rssBytes: number; looks: number }
