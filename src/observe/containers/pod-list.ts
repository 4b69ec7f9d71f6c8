import { z } from 'zod'
import { ANNOTATION_PREFIX, type ContainerNames, type Runtime } from '../../model.ts'

/** What a list of pods says of containers, by their ids, and of pods, by their uids. */
export type Pods = {
  readonly containers: ReadonlyMap<string, ContainerNames>
  readonly pods: ReadonlyMap<string, ContainerNames>
}

export type ParsedPods =
  (Pods & { readonly kind: 'pods' }) | { readonly kind: 'malformed'; readonly detail: string }

/** A v1.PodList, as the API and the kubelet write it. Only what is needed of it is kept; a pod that is malformed is left out. */
export const parsePodList = (text: string): ParsedPods => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { kind: 'malformed', detail: 'the answer is no JSON' }
  }
  const list = podListSchema.safeParse(json)
  if (!list.success) return { kind: 'malformed', detail: 'the answer is no PodList' }
  const containers = new Map<string, ContainerNames>()
  const pods = new Map<string, ContainerNames>()
  for (const item of list.data.items) {
    const pod = podSchema.safeParse(item)
    if (pod.success) addPod(pod.data, containers, pods)
  }
  return { kind: 'pods', containers, pods }
}

const MOST_PODS = 20_000
const MOST_CONTAINERS = 500
const MOST_LABELS = 100
const MOST_LABEL = 320
/** More than any value that means something. */
const MOST_ANNOTATION = 200

// As Kubernetes itself wants them.
const name = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9._-]+$/)
const image = z.string().max(1000)
const texts = z.record(z.string(), z.string()).nullish()

const specs = z
  .array(z.object({ name, image: image.nullish() }))
  .max(MOST_CONTAINERS)
  .nullish()
const statuses = z
  .array(z.object({ name, image: image.nullish(), containerID: z.string().max(200).nullish() }))
  .max(MOST_CONTAINERS)
  .nullish()

// The kubelet leaves `kind` of the list's items away, the API that of nothing.
const podListSchema = z
  .object({ kind: z.literal('PodList'), items: z.array(z.unknown()).max(MOST_PODS).nullable() })
  .transform(({ items }) => ({ items: items ?? [] }))

const podSchema = z.object({
  metadata: z.object({
    name,
    namespace: name,
    uid: z.string().min(1).max(64),
    labels: texts,
    annotations: texts,
  }),
  spec: z.object({ containers: specs, initContainers: specs, ephemeralContainers: specs }).nullish(),
  status: z
    .object({
      containerStatuses: statuses,
      initContainerStatuses: statuses,
      ephemeralContainerStatuses: statuses,
    })
    .nullish(),
})
type Pod = z.output<typeof podSchema>

const addPod = (
  { metadata, spec, status }: Pod,
  containers: Map<string, ContainerNames>,
  pods: Map<string, ContainerNames>,
): void => {
  const known = podNames(metadata)
  pods.set(metadata.uid, known)
  // The API calls a static pod by another uid than the kubelet, which has named the cgroup.
  const hash = metadata.annotations?.['kubernetes.io/config.hash']
  if (hash !== undefined) pods.set(hash.slice(0, 64), known)
  const images = imagesOf(spec)
  for (const { containerID, name: container, image: seen } of statusesOf(status)) {
    const [, scheme = '', id] = CONTAINER_ID.exec(containerID ?? '') ?? []
    if (id === undefined) continue
    // As its owner wrote it; of what runs the status may know no more than a digest.
    const imageName = images.get(container) ?? seen
    const runtime = RUNTIME_OF[scheme]
    containers.set(id, {
      ...known,
      ...(runtime && { runtime }),
      name: container,
      ...(imageName && { image: imageName }),
    })
  }
}

const podNames = ({ uid, name: pod, namespace, ...metadata }: Pod['metadata']): ContainerNames => {
  const annotations = annotationsOf(metadata.annotations ?? {})
  const labels = labelsOf(metadata.labels ?? {})
  return { podUid: uid, pod, namespace, ...(labels && { labels }), ...(annotations && { annotations }) }
}

const imagesOf = (spec: Pod['spec']): ReadonlyMap<string, string | null | undefined> => {
  const written = [spec?.containers, spec?.initContainers, spec?.ephemeralContainers]
  return new Map(written.flatMap((some) => some ?? []).map((each) => [each.name, each.image]))
}

const statusesOf = (status: Pod['status']): readonly NonNullable<z.output<typeof statuses>>[number][] =>
  [status?.containerStatuses, status?.initContainerStatuses, status?.ephemeralContainerStatuses].flatMap(
    (some) => some ?? [],
  )

const CONTAINER_ID = /^([a-z][a-z-]{0,20}):\/\/([0-9a-f]{64})$/

const RUNTIME_OF: Readonly<Record<string, Runtime | undefined>> = {
  containerd: 'containerd',
  'cri-o': 'cri-o',
  docker: 'docker',
}

const labelsOf = (labels: Readonly<Record<string, string>>): ContainerNames['labels'] => {
  const kept = Object.entries(labels)
    .filter(([key, value]) => key.length <= MOST_LABEL && value.length <= MOST_LABEL)
    .slice(0, MOST_LABELS)
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

const annotationsOf = (annotations: Readonly<Record<string, string>>): ContainerNames['annotations'] => {
  const kept = Object.entries(annotations)
    .filter(([key]) => key.startsWith(ANNOTATION_PREFIX) && key.length <= MOST_LABEL)
    .slice(0, MOST_LABELS)
    .map(([key, value]) => [key, value.slice(0, MOST_ANNOTATION)])
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as ContainerNames['annotations'])
}
