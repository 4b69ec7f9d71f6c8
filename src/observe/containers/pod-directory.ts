import { isDeepStrictEqual } from 'node:util'
import type { ContainerIdentity, ContainerNames, ContainerNews } from '../../model.ts'
import type { Fetched } from './fetch-pods.ts'
import { parsePodList } from './pod-list.ts'

export type PodDirectoryOptions = {
  /** For people. */
  readonly url: string
  readonly fetch: () => Promise<Fetched>
}

/** Between two requests, where somebody is not known. */
const LEAST_PAUSE_MS = 5000
const PAUSE_MS = 60_000
/** The kubelet takes some seconds to tell of a new container; who is not known then is waited for no more. */
const MOST_TRIES = 6

/** What Kubernetes tells of containers. Whatever becomes of it, watching goes on. */
export class PodDirectory {
  readonly #options: PodDirectoryOptions
  #containers: ReadonlyMap<string, ContainerNames> = new Map()
  #pods: ReadonlyMap<string, ContainerNames> = new Map()
  readonly #tries = new Map<string, number>()
  #version = 0
  #askedMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined
  #isDown = false
  #news: ContainerNews[] = []

  constructor(options: PodDirectoryOptions) {
    this.#options = options
  }

  /** Changes when names do. */
  get version(): number {
    return this.#version
  }

  /** Of a container that is told by none of its pod's, as one that runs inside of another, those of the pod. */
  namesOf({ id, podUid }: ContainerIdentity): ContainerNames | undefined {
    return this.#containers.get(id) ?? (podUid === undefined ? undefined : this.#pods.get(podUid))
  }

  /**
   * Asks again when it is time. `present` are all containers there are. Answers a promise that is worth waiting for
   * where somebody is asked about for the first time and an answer is likely.
   */
  refresh(present: readonly ContainerIdentity[], nowMs: number): Promise<void> | undefined {
    const unknown = present.filter(({ id }) => !this.#containers.has(id)).map(({ id }) => id)
    this.#forgetAllBut(new Set(unknown))
    if (this.#asking !== undefined || present.length === 0) return undefined
    const isNeeded = unknown.some((id) => (this.#tries.get(id) ?? 0) < MOST_TRIES)
    if (nowMs - this.#askedMs < (isNeeded ? LEAST_PAUSE_MS : PAUSE_MS)) return undefined
    const isNew = unknown.some((id) => !this.#tries.has(id))
    for (const id of unknown) this.#tries.set(id, (this.#tries.get(id) ?? 0) + 1)
    this.#askedMs = nowMs
    this.#asking = this.#ask().finally(() => (this.#asking = undefined))
    return isNew && !this.#isDown ? this.#asking : undefined
  }

  /** What is to be told since the last time. */
  takeNews(): readonly ContainerNews[] {
    const news = this.#news
    if (news.length > 0) this.#news = []
    return news
  }

  async #ask(): Promise<void> {
    const { url, fetch } = this.#options
    const fetched = await fetch()
    const parsed = fetched.kind === 'fetched' ? parsePodList(fetched.text) : fetched
    if (parsed.kind === 'pods') {
      if (this.#isDown) this.#news.push({ kind: 'pods-known', url, pods: parsed.pods.size })
      this.#isDown = false
      const [containers, pods] = [
        keepSame(this.#containers, parsed.containers),
        keepSame(this.#pods, parsed.pods),
      ]
      if (containers !== this.#containers || pods !== this.#pods) this.#version++
      this.#containers = containers
      this.#pods = pods
      return
    }
    if (this.#isDown) return
    this.#isDown = true
    const hint = parsed.kind === 'failed' ? parsed.hint : 'see kubernetes.pods_url'
    this.#news.push({ kind: 'pods-unknown', url, detail: parsed.detail, hint })
  }

  #forgetAllBut(unknown: ReadonlySet<string>): void {
    for (const id of this.#tries.keys()) if (!unknown.has(id)) this.#tries.delete(id)
  }
}

/** What is as it was is the same object as before; the whole map where nothing has changed. */
const keepSame = (
  before: ReadonlyMap<string, ContainerNames>,
  after: ReadonlyMap<string, ContainerNames>,
): ReadonlyMap<string, ContainerNames> => {
  const kept = new Map<string, ContainerNames>()
  let same = 0
  for (const [key, names] of after) {
    const old = before.get(key)
    const isSame = old !== undefined && isDeepStrictEqual(old, names)
    if (isSame) same++
    kept.set(key, isSame ? old : names)
  }
  return same === after.size && same === before.size ? before : kept
}
