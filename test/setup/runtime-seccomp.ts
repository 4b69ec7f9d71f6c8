import { existsSync, readFileSync } from 'node:fs'

// Debian's golang-github-containers-common.
const FILE = '/usr/share/containers/seccomp.json'

type Profile = {
  readonly defaultAction: string
  readonly defaultErrnoRet: number
  readonly syscalls: readonly Rule[]
}
type Rule = {
  readonly names: readonly string[]
  readonly action: string
  readonly args?: readonly object[] | null
  readonly errnoRet?: number
  readonly includes?: Condition
  readonly excludes?: Condition
}
type Condition = { readonly caps?: readonly string[]; readonly arches?: readonly string[] }

export const hasRuntimeSeccomp = (): boolean => existsSync(FILE)

/** The filter that RuntimeDefault means with CRI-O and podman, for a container with these capabilities, as OCI has it. */
export function runtimeSeccomp(capabilities: readonly string[]): object {
  const profile = JSON.parse(readFileSync(FILE, 'utf8')) as Profile
  const isHere = ({ includes = {}, excludes = {} }: Rule): boolean =>
    (includes.caps ?? []).every((one) => capabilities.includes(one)) &&
    (includes.arches?.includes('amd64') ?? true) &&
    !(excludes.caps ?? []).some((one) => capabilities.includes(one))
  return {
    defaultAction: profile.defaultAction,
    defaultErrnoRet: profile.defaultErrnoRet,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: profile.syscalls
      .filter(isHere)
      .map(({ names, action, args, errnoRet }) => ({ names, action, args: args ?? undefined, errnoRet })),
  }
}
