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
  mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller))

/** Where the unified hierarchy is mounted. */
export const findV2 = (mounts: readonly Mount[]): Mount | undefined =>
  mounts.find(({ type }) => type === 'cgroup2')

const unescapeOctal = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)))
