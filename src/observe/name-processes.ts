import {
  processKey,
  type Container,
  type ContainerNews,
  type PodWishes,
  type ProcessId,
  type PythonProcess,
  type Target,
  type WatchedProcess,
} from '../model.ts'
import type { ContainerNaming } from './containers/container-names.ts'
import { compileTargets, type NameTarget } from './match-target.ts'

export type ProcessNamesOptions = {
  readonly targets: readonly Target[]
  /** What is told of containers besides their ids; nothing unless told. */
  readonly containers?: ContainerNaming | undefined
  /** What the owner of a container asks for. */
  readonly wishesOf?: ((container: Container) => PodWishes) | undefined
}

export type Named = {
  /** Found, or called otherwise now. */
  readonly watched: readonly WatchedProcess[]
  /** Found, and of no interest. */
  readonly others: readonly PythonProcess[]
  /** Those of no interest any more, since more is told of their containers. */
  readonly dismissed: readonly ProcessId[]
  readonly news: readonly ContainerNews[]
}

/**
 * Decides who is watched, and as what. What is in a container may be called otherwise later, when Kubernetes has told of
 * it, or when its labels and annotations have changed.
 */
export class ProcessNames {
  readonly #containers: ContainerNaming | undefined
  readonly #nameTarget: NameTarget
  readonly #wishesOf: ProcessNamesOptions['wishesOf']
  readonly #wishes = new WeakMap<Container, PodWishes>()
  readonly #contained = new Map<string, Contained>()
  readonly #told = new Set<string>()
  #news: ContainerNews[] = []
  #version = 0

  constructor({ targets, containers, wishesOf }: ProcessNamesOptions) {
    this.#nameTarget = compileTargets(targets)
    this.#containers = containers
    this.#wishesOf = wishesOf
  }

  async name(
    appeared: readonly PythonProcess[],
    gone: readonly PythonProcess[],
    nowMs: number,
  ): Promise<Named> {
    for (const { id } of gone) this.#contained.delete(processKey(id))
    for (const process of appeared) {
      const key = processKey(process.id)
      if (process.container === undefined) this.#contained.delete(key)
      else this.#contained.set(key, { process, identity: process.container, named: undefined })
    }
    const renamed = await this.#refresh(nowMs)
    const watched: WatchedProcess[] = []
    const others: PythonProcess[] = []
    const fresh = new Set(appeared)
    for (const process of appeared) {
      const named = this.#name(process)
      const known = this.#contained.get(processKey(process.id))
      if (known !== undefined) known.named = named
      if (named === undefined) others.push(process)
      else watched.push(named)
    }
    const dismissed: ProcessId[] = []
    for (const known of renamed ? this.#contained.values() : []) {
      if (fresh.has(known.process)) continue
      const before = known.named
      known.named = this.#name(known.process)
      if (isSame(before, known.named)) continue
      if (known.named !== undefined) watched.push(known.named)
      else if (before !== undefined) dismissed.push(before.id)
    }
    return { watched, others, dismissed, news: this.#takeNews() }
  }

  /** Answers whether somebody may be called otherwise now. */
  async #refresh(nowMs: number): Promise<boolean> {
    if (this.#containers === undefined || this.#contained.size === 0) return false
    const present = Array.from(this.#contained.values(), ({ identity }) => identity)
    await this.#containers.refresh(present, nowMs)
    const version = this.#containers.version()
    if (version === this.#version) return false
    this.#version = version
    return true
  }

  #name(process: PythonProcess): WatchedProcess | undefined {
    const identity = process.container
    const container = identity && (this.#containers?.name(identity) ?? identity)
    const wishes = container && this.#wishesFor(container)
    if (wishes?.isWatched === false) return undefined
    const whole = container === identity ? process : { ...process, ...(container && { container }) }
    const target = this.#nameTarget(whole)
    if (target === undefined) return undefined
    return { ...whole, target, ...(wishes?.rules && { rules: wishes.rules }) }
  }

  #wishesFor(container: Container): PodWishes | undefined {
    if (this.#wishesOf === undefined) return undefined
    const known = this.#wishes.get(container)
    if (known !== undefined) return known
    const wishes = this.#wishesOf(container)
    this.#wishes.set(container, wishes)
    const pod = `${container.namespace ?? ''}/${container.pod ?? ''}`
    for (const { key, detail } of wishes.problems) this.#tell({ kind: 'bad-annotation', pod, key, detail })
    if (wishes.isOptedOut) this.#tell({ kind: 'opted-out', pod })
    return wishes
  }

  /** Each thing once. */
  #tell(news: ContainerNews): void {
    const text = JSON.stringify(news)
    if (this.#told.has(text)) return
    if (this.#told.size >= MOST_TOLD) this.#told.clear()
    this.#told.add(text)
    this.#news.push(news)
  }

  #takeNews(): readonly ContainerNews[] {
    const own = this.#news
    if (own.length > 0) this.#news = []
    return [...(this.#containers?.takeNews() ?? []), ...own]
  }
}

/** A process in a container, whether it is watched or not. */
type Contained = {
  readonly process: PythonProcess
  readonly identity: Container
  named: WatchedProcess | undefined
}

const MOST_TOLD = 10_000

const isSame = (a: WatchedProcess | undefined, b: WatchedProcess | undefined): boolean =>
  a?.target === b?.target && a?.container === b?.container && a?.rules === b?.rules
