import { readFileSync } from 'node:fs'
import { runtimeSeccomp } from './runtime-seccomp.ts'

/** Of a pod's spec what is translated. */
export type PodSpec = {
  readonly hostPID?: boolean
  readonly securityContext?: {
    readonly runAsUser?: number
    readonly supplementalGroups?: readonly number[]
  }
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
// Of linux/capability.h, those that sandboxes withhold.
const NUMBERS: Readonly<Record<string, number>> = {
  MKNOD: 27,
  NET_RAW: 13,
  SYS_PTRACE: 19,
  SYS_ADMIN: 21,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
  AUDIT_WRITE: 29,
  SYSLOG: 34,
  PERFMON: 38,
  BPF: 39,
}
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The first container of a pod as an OCI bundle's config.json, as far as a runtime has a say. */
export function podBundle(spec: PodSpec, placing: Placing): object {
  const [container] = spec.containers
  const context = container.securityContext ?? {}
  const capabilities = capabilitiesOf(context.capabilities)
  return {
    ociVersion: '1.0.0',
    root: { path: placing.root, readonly: context.readOnlyRootFilesystem === true },
    hostname: container.name,
    process: {
      args: placing.command ?? container.command,
      env: environment(container, placing),
      cwd: '/',
      ...credentials(spec.securityContext, capabilities),
      noNewPrivileges: context.allowPrivilegeEscalation === false,
    },
    mounts: mounts(container, placing),
    linux: {
      cgroupsPath: placing.cgroup,
      ...namespaces(spec.hostPID === true, placing.userNamespaceAt),
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        memory: { limit: parseQuantity(container.resources?.limits?.['memory'] ?? '512Mi') },
      },
      maskedPaths: MASKED.split(' '),
      readonlyPaths: READ_ONLY.split(' '),
      ...(context.seccompProfile?.type === 'Unconfined' ? {} : { seccomp: runtimeSeccomp(capabilities) }),
    },
  }
}

/** Root has all capabilities that the container may have, anybody else none: nothing is ambient. */
function credentials(
  { runAsUser = 0, supplementalGroups = [] }: PodSpec['securityContext'] = {},
  bounding: readonly string[],
): object {
  const held = runAsUser === 0 ? bounding : []
  return {
    user: { uid: runAsUser, gid: 0, additionalGids: supplementalGroups },
    capabilities: { bounding, effective: held, permitted: held },
  }
}

function namespaces(isHostPid: boolean, firstUser: number | undefined): object {
  const types = ['mount', 'network', 'ipc', 'uts', 'cgroup']
  if (!isHostPid) types.push('pid')
  if (firstUser === undefined) return { namespaces: types.map((type) => ({ type })) }
  const mapping = [{ containerID: 0, hostID: firstUser, size: 65_536 }]
  return {
    namespaces: [...types, 'user'].map((type) => ({ type })),
    uidMappings: mapping,
    gidMappings: mapping,
  }
}

function capabilitiesOf({
  drop = [],
  add = [],
}: { readonly drop?: readonly string[]; readonly add?: readonly string[] } = {}): readonly string[] {
  const kept = drop.includes('ALL')
    ? []
    : DEFAULT_CAPABILITIES.split(' ').filter((one) => !drop.includes(one))
  return [...new Set([...kept, ...add])].filter(isHeldHere).map((name) => `CAP_${name}`)
}

/** Where even root has not all of them, as in some sandboxes, nobody can be given the others. */
function isHeldHere(name: string): boolean {
  const set = BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`)
  const bit = NUMBERS[name]
  return bit === undefined || ((set >> BigInt(bit)) & 1n) === 1n
}

const environment = ({ env = [] }: ContainerSpec, placing: Placing): readonly string[] => [
  `PATH=${PATH}`,
  ...env.map(({ name, value }) => `${name}=${value ?? placing.env[name] ?? ''}`),
]

type Mount = {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options?: readonly string[]
}

const defaultMounts = (): readonly Mount[] => [
  { destination: '/proc', type: 'proc', source: 'proc' },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777'],
  },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['nosuid', 'noexec', 'nodev', 'ro'],
  },
]

/** What a pod mounts itself takes the place of what the runtime would mount there. */
function mounts({ volumeMounts = [] }: ContainerSpec, { volumes }: Placing): readonly object[] {
  const own = volumeMounts.map(({ name, mountPath, readOnly }) => ({
    destination: mountPath,
    type: 'bind',
    source: volumes[name],
    options: ['rbind', 'rprivate', readOnly === true ? 'ro' : 'rw'],
  }))
  const isTaken = (destination: string): boolean => own.some((mount) => mount.destination === destination)
  return [...defaultMounts().filter(({ destination }) => !isTaken(destination)), ...own]
}

/** `512Mi` in bytes. */
function parseQuantity(text: string): number {
  const [, number = '', unit = ''] = /^(\d+)(Ki|Mi|Gi)$/.exec(text) ?? []
  return Number(number) * 2 ** (10 * (['Ki', 'Mi', 'Gi'].indexOf(unit) + 1))
}
