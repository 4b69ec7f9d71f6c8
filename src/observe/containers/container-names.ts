import { setTimeout as sleep } from 'node:timers/promises'
import type { Container, ContainerIdentity, ContainerNames, ContainerNews } from '../../model.ts'
import { readDockerNames } from './docker-names.ts'
import { fetchPods, type PodsPlace } from './fetch-pods.ts'
import { PodDirectory } from './pod-directory.ts'

/** Gives names to containers, as far as they are told. */
export type ContainerNaming = {
  /** Asks for what is not known of the containers that there are now; takes a second at most. */
  readonly refresh: (present: readonly ContainerIdentity[], nowMs: number) => Promise<void>
  /** The same object as long as nothing has changed. */
  readonly name: (identity: ContainerIdentity) => Container
  /** Changes when somebody may have another name. */
  readonly version: () => number
  /** What is to be told since the last time. */
  readonly takeNews: () => readonly ContainerNews[]
  readonly close: () => void
}

export type ContainerNamingOptions = {
  /** Where Kubernetes is asked; not at all unless told. */
  readonly pods?: PodsPlace | undefined
  /** Where Docker keeps its containers. */
  readonly dockerDir: string
}

/** The loop waits no longer for an answer. */
const LONGEST_WAIT_MS = 1000

export function createContainerNaming({ pods, dockerDir }: ContainerNamingOptions): ContainerNaming {
  const ended = new AbortController()
  const directory = pods && new PodDirectory({ url: pods.url, fetch: () => fetchPods(pods, ended.signal) })
  const docker = new Map<string, ContainerNames | undefined>()
  const named = new Map<string, Named>()

  const readDocker = async (present: ReadonlyMap<string, ContainerIdentity>): Promise<void> => {
    for (const { id, runtime, podUid } of present.values())
      if (runtime === 'docker' && podUid === undefined && !docker.has(id))
        docker.set(id, await readDockerNames(dockerDir, id))
  }
  return {
    refresh: async (present, nowMs) => {
      const byId = new Map(present.map((identity) => [identity.id, identity]))
      for (const id of docker.keys()) if (!byId.has(id)) docker.delete(id)
      for (const id of named.keys()) if (!byId.has(id)) named.delete(id)
      await readDocker(byId)
      const answer = directory?.refresh([...byId.values()].filter(isOfPods), nowMs)
      if (answer !== undefined)
        await Promise.race([answer, sleep(LONGEST_WAIT_MS, undefined, { ref: false })])
    },
    name: (identity) => {
      const names = directory?.namesOf(identity) ?? docker.get(identity.id)
      const before = named.get(identity.id)
      if (before !== undefined && before.names === names && before.podUid === identity.podUid)
        return before.container
      const container = names === undefined ? identity : join(identity, names)
      named.set(identity.id, { names, podUid: identity.podUid, container })
      return container
    },
    version: () => directory?.version ?? 0,
    takeNews: () => directory?.takeNews() ?? [],
    close: () => ended.abort(),
  }
}

type Named = {
  readonly names: ContainerNames | undefined
  readonly podUid: string | undefined
  readonly container: Container
}

/** Whole systems are in no pod. */
const isOfPods = ({ runtime }: ContainerIdentity): boolean => runtime !== 'nspawn' && runtime !== 'lxc'

/** The cgroup knows best in which pod it is, and who tells names what runs it. */
const join = (identity: ContainerIdentity, names: ContainerNames): Container => {
  const podUid = identity.podUid ?? names.podUid
  return {
    ...names,
    id: identity.id,
    runtime: names.runtime ?? identity.runtime,
    ...(podUid !== undefined && { podUid }),
  }
}
