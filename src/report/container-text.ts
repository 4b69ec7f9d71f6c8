import type { Container, DumpManifest } from '../model.ts'

/** Enough of an id to find it. */
const SHORT_ID = 12

type Shown = Pick<Container, 'id' | 'runtime' | 'podUid' | 'pod' | 'namespace' | 'name' | 'image'>

/** A container in a few words, for a table: by its names as far as they are known, else by its id. */
export const containerName = ({ id, pod, namespace, name }: Shown): string => {
  if (pod !== undefined) return [namespace, pod, name].filter((part) => part !== undefined).join('/')
  return name ?? id.slice(0, SHORT_ID)
}

/** All that there is to tell of it in a line. */
export const describeContainer = (container: Shown): string => {
  const { id, runtime, podUid, pod, image } = container
  const named = containerName(container)
  const short = id.slice(0, SHORT_ID)
  const inPod = pod === undefined && podUid !== undefined ? `, pod ${podUid}` : ''
  const by = runtime === 'unknown' ? '' : `${runtime} `
  const how = named === short ? by.trim() : `${by}${short}`
  return `${named}${how === '' ? '' : ` (${how})`}${inPod}${image === undefined ? '' : `, image ${image}`}`
}

/** The container that a dump tells of, as older dumps do with its id alone. */
export const dumpContainer = ({ process }: DumpManifest): Shown | undefined => {
  const { container_id: id, container } = process
  if (id === undefined) return undefined
  const { runtime = 'unknown', pod_uid: podUid, pod, namespace, name, image } = container ?? {}
  return { id, runtime, podUid, pod, namespace, name, image }
}

/** `4242, 17 inside`. */
export const pidText = (pid: number, inside: number | undefined): string =>
  inside === undefined ? String(pid) : `${pid}, ${inside} inside`
