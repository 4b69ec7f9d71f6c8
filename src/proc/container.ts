import type { ContainerIdentity, Runtime } from '../model.ts'
import { type CgroupLine, memoryLine } from './parse-cgroup.ts'

/** The innermost container that a process is in, as its cgroups say; undefined where it is in none. */
export const containerOf = (lines: readonly CgroupLine[]): ContainerIdentity | undefined => {
  // Hierarchies may differ, and memory is what this is about.
  const memory = memoryLine(lines)
  const ordered = memory === undefined ? lines : [memory, ...lines]
  for (const { path } of ordered) {
    const found = innermost(path.split('/'))
    if (found !== undefined) return found
  }
  return undefined
}

const innermost = (parts: readonly string[]): ContainerIdentity | undefined => {
  for (let at = parts.length - 1; at > 0; at--) {
    const found = readId(parts, at) ?? readMachine(parts, at)
    if (found !== undefined) return found
  }
  return undefined
}

// Docker, podman and the CRI runtimes all put its 64 digits into the path, with something in front or nothing.
const CONTAINER = /(?:^|[-:])([0-9a-f]{64})(?:\.scope)?$/

const readId = (parts: readonly string[], at: number): ContainerIdentity | undefined => {
  const part = parts[at] ?? ''
  const id = CONTAINER.exec(part)?.[1]
  if (id === undefined) return undefined
  const podUid = podOf(parts, at)
  const runtime = runtimeOf(part, parts[at - 1] ?? '', podUid !== undefined)
  return { id, runtime, ...(podUid !== undefined && { podUid }) }
}

const BEFORE_ID: readonly (readonly [RegExp, Runtime])[] = [
  [/(?:^|:)cri-containerd[-:]/, 'containerd'],
  [/^nerdctl-/, 'containerd'],
  [/(?:^|:)crio[-:]/, 'cri-o'],
  [/(?:^|:)docker[-:]/, 'docker'],
  [/^libpod-/, 'podman'],
]

const runtimeOf = (part: string, parent: string, isInPod: boolean): Runtime => {
  const named = BEFORE_ID.find(([pattern]) => pattern.test(part))?.[1]
  if (named !== undefined) return named
  if (parent === 'docker') return 'docker'
  if (parent === 'libpod_parent') return 'podman'
  // Of those that run pods only containerd writes the plain id, now that Docker runs none.
  return isInPod ? 'containerd' : 'unknown'
}

// As systemd's slices are named, where a dash in a uid has become `_`, and as plain directories below kubepods. Kind puts
// its kubelet's name in front.
const POD_SLICE = /(?:^|-)kubepods(?:-[a-z]+)?-pod([0-9A-Za-z_]{1,64})\.slice(?:$|:)/
const POD_DIRECTORY = /^pod([0-9A-Za-z-]{1,64})$/

const podOf = (parts: readonly string[], at: number): string | undefined => {
  for (let above = at; above > 0; above--) {
    const part = parts[above] ?? ''
    const uid = POD_SLICE.exec(part)?.[1] ?? directoryPod(parts, above)
    if (uid !== undefined) return uid.replaceAll('_', '-')
  }
  return undefined
}

const directoryPod = (parts: readonly string[], at: number): string | undefined =>
  parts.slice(Math.max(0, at - 2), at).includes('kubepods')
    ? POD_DIRECTORY.exec(parts[at] ?? '')?.[1]
    : undefined

const MOST_NAME = 200

/** A whole system in a container: machines of systemd, and those of lxc, lxd and incus. */
const readMachine = (parts: readonly string[], at: number): ContainerIdentity | undefined => {
  const part = parts[at] ?? ''
  const parent = parts[at - 1]
  const lxc = /^lxc\.payload\.(.+)$/.exec(part)?.[1] ?? (parent === 'lxc' ? part : undefined)
  if (lxc) return machine(lxc, 'lxc')
  if (parent !== 'machine.slice') return undefined
  const unit = /^systemd-nspawn@(.+)\.service$/.exec(part)?.[1] ?? /^machine-(.+)\.scope$/.exec(part)?.[1]
  if (unit === undefined) return undefined
  const name = unescapeUnit(unit)
  // What libvirt runs is registered as a machine too: virtual ones, and containers of its own.
  if (name.startsWith('qemu-')) return undefined
  return /^lxc-\d+-./.test(name) ? machine(name.replace(/^lxc-\d+-/, ''), 'lxc') : machine(name, 'nspawn')
}

const machine = (name: string, runtime: Runtime): ContainerIdentity => ({
  id: name.slice(0, MOST_NAME),
  runtime,
})

/** As `systemd-escape --unescape` does, but for what is no ASCII. */
const unescapeUnit = (text: string): string =>
  text.replaceAll(/\\x([0-7][0-9a-f])/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
