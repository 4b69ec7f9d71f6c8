import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of a pod's spec what is translated. */
export type PodSpec = {
  readonly hostPID?: boolean
  readonly securityContext?: { readonly runAsUser?: number; readonly supplementalGroups?: readonly number[] }
  readonly containers: readonly [ContainerSpec, ...ContainerSpec[]]
  readonly volumes?: readonly VolumeSpec[]
}

export type ContainerSpec = {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> }
  readonly securityContext?: {
    readonly privileged?: boolean
    readonly readOnlyRootFilesystem?: boolean
    readonly allowPrivilegeEscalation?: boolean
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
    readonly seccompProfile?: { readonly type: string }
  }
  readonly livenessProbe?: Exec
  readonly lifecycle?: { readonly preStop?: Exec }
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
  }[]
}

type Exec = { readonly exec: { readonly command: readonly string[] } }

type VolumeSpec = { readonly name: string }

/** How the kubelet and the runtime would have it, of what the spec leaves open. */
export type Placing = {
  readonly root: string
  /** Directories of the host by the names of volumes. */
  readonly volumes: Readonly<Record<string, string>>
  /** As a kubelet without systemd names it: /kubepods/burstable/pod<uid>/<container id>. */
  readonly cgroup: string
  /** By the downward API. */
  readonly env: Readonly<Record<string, string>>
  readonly command?: readonly string[]
  /** hostUsers: false: the first id of the host's that root is. */
  readonly userNamespaceAt?: number
}

// What containerd gives a container that asks for nothing.
const DEFAULT_CAPABILITIES =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
const MASKED =
  '/proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/sched_debug /proc/scsi /sys/firmware'
const READ_ONLY = '/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger'
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The first container of a pod as an OCI bundle's config.json, as far as a runtime has a say. */
export function podBundle(spec: PodSpec, placing: Placing): object {
  const [container] = spec.containers
  const context = container.securityContext ?? {}
  const capabilities = capabilitiesOf(context.capabilities)
  const user = spec.securityContext?.runAsUser ?? 0
  // Root has them all, anybody else none: nothing is ambient.
  const held = user === 0 ? capabilities : []
  const namespaces = ['mount', 'network', 'ipc', 'uts', 'cgroup', ...(spec.hostPID === true ? [] : ['pid'])]
  const first = placing.userNamespaceAt
  const mapping = [{ containerID: 0, hostID: first, size: 65_536 }]
  return {
    ociVersion: '1.0.0',
    root: { path: placing.root, readonly: context.readOnlyRootFilesystem === true },
    hostname: container.name,
    process: {
      args: placing.command ?? container.command,
      env: environment(container, placing),
      cwd: '/',
      user: { uid: user, gid: 0, additionalGids: spec.securityContext?.supplementalGroups ?? [] },
      capabilities: { bounding: capabilities, effective: held, permitted: held },
      noNewPrivileges: context.allowPrivilegeEscalation === false,
    },
    mounts: [...defaultMounts(), ...volumeMounts(container, placing)],
    linux: {
      cgroupsPath: placing.cgroup,
      namespaces: [...namespaces, ...(first === undefined ? [] : ['user'])].map((type) => ({ type })),
      ...(first === undefined ? {} : { uidMappings: mapping, gidMappings: mapping }),
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        memory: { limit: parseQuantity(container.resources?.limits?.['memory'] ?? '512Mi') },
      },
      maskedPaths: MASKED.split(' '),
      readonlyPaths: READ_ONLY.split(' '),
      ...(context.seccompProfile?.type === 'Unconfined' ? {} : { seccomp: seccompFor(capabilities) }),
    },
  }
}

function capabilitiesOf({
  drop = [],
  add = [],
}: { readonly drop?: readonly string[]; readonly add?: readonly string[] } = {}): readonly string[] {
  const kept = drop.includes('ALL') ? [] : DEFAULT_CAPABILITIES.split(' ').filter((one) => !drop.includes(one))
  return [...new Set([...kept, ...add])].map((name) => `CAP_${name}`)
}

const environment = ({ env = [] }: ContainerSpec, placing: Placing): readonly string[] => [
  `PATH=${PATH}`,
  ...env.map(({ name, value }) => `${name}=${value ?? placing.env[name] ?? ''}`),
]

const defaultMounts = (): readonly object[] => [
  { destination: '/proc', type: 'proc', source: 'proc' },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
]

const volumeMounts = ({ volumeMounts: mounts = [] }: ContainerSpec, placing: Placing): readonly object[] =>
  mounts.map(({ name, mountPath, readOnly }) => ({
    destination: mountPath,
    type: 'bind',
    source: placing.volumes[name],
    options: ['rbind', 'rprivate', readOnly === true ? 'ro' : 'rw'],
  }))

/** `512Mi` in bytes. */
function parseQuantity(text: string): number {
  const [, number = '', unit = ''] = /^(\d+)(Ki|Mi|Gi)$/.exec(text) ?? []
  return Number(number) * 2 ** (10 * (['Ki', 'Mi', 'Gi'].indexOf(unit) + 1))
}

type Profile = {
  readonly defaultAction: string
  readonly defaultErrnoRet: number
  readonly syscalls: readonly (Readonly<Record<string, unknown>> & {
    readonly includes?: Condition
    readonly excludes?: Condition
  })[]
}
type Condition = { readonly caps?: readonly string[]; readonly arches?: readonly string[] }

/** RuntimeDefault as CRI-O and podman have it (Debian's golang-github-containers-common). */
function seccompFor(capabilities: readonly string[]): object {
  const file = join('/usr/share/containers', 'seccomp.json')
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile
  const isHere = ({ includes = {}, excludes = {} }: Profile['syscalls'][number]): boolean =>
    (includes.caps ?? []).every((one) => capabilities.includes(one)) &&
    (includes.arches?.includes('amd64') ?? true) &&
    !(excludes.caps ?? []).some((one) => capabilities.includes(one))
  return {
    defaultAction: profile.defaultAction,
    defaultErrnoRet: profile.defaultErrnoRet,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: profile.syscalls.filter(isHere).map(({ names, action, args, errnoRet }) => ({
      names,
      action,
      ...(args === null || args === undefined ? {} : { args }),
      ...(errnoRet === undefined ? {} : { errnoRet }),
    })),
  }
}
