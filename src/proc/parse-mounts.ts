/** A line of /proc/PID/mountinfo. */
export type Mount = {
  /** What is seen of the file system at the mount point. */
  readonly root: string
  readonly mountPoint: string
  readonly type: string
  /** Of the file system: of cgroup v1 its controllers. */
  readonly options: readonly string[]
}

/** The lines of /proc/PID/mountinfo: `36 35 0:31 / /sys/fs/cgroup/memory rw,… shared:9 - cgroup cgroup rw,memory`. */
export const parseMounts = (text: string): readonly Mount[] =>
  text.split('\n').flatMap((line) => {
    const [mount = '', filesystem = ''] = line.split(' - ')
    const [, , , root, mountPoint] = mount.split(' ').map(unescapeOctal)
    const [type = '', , options = ''] = filesystem.split(' ')
    return root === undefined || mountPoint === undefined
      ? []
      : [{ root, mountPoint, type, options: options.split(',') }]
  })

/** Where the hierarchy of a v1 controller is mounted. */
export const findV1 = (mounts: readonly Mount[], controller: string): Mount | undefined =>
  mounts.find(
    (mount, at) =>
      mount.type === 'cgroup' && mount.options.includes(controller) && isInView(mount, mounts.slice(at + 1)),
  )

/** Where the unified hierarchy is mounted. */
export const findV2 = (mounts: readonly Mount[]): Mount | undefined =>
  mounts.find((mount, at) => mount.type === 'cgroup2' && isInView(mount, mounts.slice(at + 1)))

/** Whether nothing was mounted over it later, or over what is above it, as in a container that mounts its host's. */
const isInView = ({ mountPoint }: Mount, later: readonly Mount[]): boolean =>
  !later.some((other) => mountPoint === other.mountPoint || mountPoint.startsWith(`${other.mountPoint}/`))

const unescapeOctal = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)))
