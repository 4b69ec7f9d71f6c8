import { processKey, type ProcessId, type Sample } from '../model.ts'

/** Looks in a row that found a process as it was. */
const CALM_LOOKS = 10
/** A process that rests is looked at in one of so many sweeps. */
const REST_SWEEPS = 8

/** Who has not changed for a while, and is looked at more rarely until he does. */
export class Rests {
  readonly #mayRest: ((sample: Sample) => boolean) | undefined
  readonly #calm = new Map<
    string,
    { readonly rssBytes: number; readonly looks: number; readonly mayRest: boolean }
  >()

  constructor(mayRest?: (sample: Sample) => boolean) {
    this.#mayRest = mayRest
  }

  /** Adds what a look has found. */
  note(sample: Sample): void {
    if (this.#mayRest === undefined) return
    const key = processKey(sample.process)
    const before = this.#calm.get(key)
    const looks = before?.rssBytes === sample.rssBytes ? before.looks + 1 : 0
    // Asked for the first time when it could rest, and then now and again, as thresholds and limits may change.
    const isTime = looks >= CALM_LOOKS
    this.#calm.set(key, { rssBytes: sample.rssBytes, looks, mayRest: isTime && this.#mayRest(sample) })
  }

  /** Whether this sweep can do without it. */
  isResting(id: ProcessId, sweep: number): boolean {
    return this.#calm.get(processKey(id))?.mayRest === true && (id.pid + sweep) % REST_SWEEPS !== 0
  }

  forget(id: ProcessId): void {
    this.#calm.delete(processKey(id))
  }
}
