/** What is known of the container that a process runs in. */

/** What runs containers; `unknown` where only the id tells that there is one. */
export const RUNTIMES = ['docker', 'containerd', 'cri-o', 'podman', 'nspawn', 'lxc', 'unknown'] as const
export type Runtime = (typeof RUNTIMES)[number]

/** What a container's cgroup says of it. */
export type ContainerIdentity = {
  /** 64 hexadecimal digits; the name of the machine for nspawn and lxc. */
  readonly id: string
  readonly runtime: Runtime
  /** With dashes, as the API writes it. */
  readonly podUid?: string | undefined
}

/** What only Kubernetes, or the runtime's own files, can tell of a container. */
export type ContainerNames = {
  readonly runtime?: Runtime | undefined
  readonly podUid?: string | undefined
  readonly pod?: string | undefined
  readonly namespace?: string | undefined
  /** Of the container in its pod, or of the container alone. */
  readonly name?: string | undefined
  readonly image?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Those that are meant for us. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

export type Container = ContainerIdentity & ContainerNames

/** What annotations of a pod that are meant for us begin with. */
export const ANNOTATION_PREFIX = 'pyheap-watchd/'

/** The rules that annotations of a pod make, by the condition that they are about; the names are taken. */
export const POD_RULES = { rss: 'pod-rss', limit: 'pod-limit', growth: 'pod-growth' } as const
export type PodRuleKind = keyof typeof POD_RULES

/** Whether a rule of this name comes from a pod's annotation. */
export const isPodRule = (name: string): boolean => POD_RULE_NAMES.has(name)

const POD_RULE_NAMES: ReadonlySet<string> = new Set(Object.values(POD_RULES))

/** What is to be told of the naming of containers. */
export type ContainerNews =
  /** Pods cannot be asked for; told the first time. */
  | { readonly kind: 'pods-unknown'; readonly url: string; readonly detail: string; readonly hint: string }
  /** They can be asked for again. */
  | { readonly kind: 'pods-known'; readonly url: string; readonly pods: number }
  | { readonly kind: 'bad-annotation'; readonly pod: string; readonly key: string; readonly detail: string }
  /** A pod whose processes are not watched, as its annotation says. */
  | { readonly kind: 'opted-out'; readonly pod: string }
