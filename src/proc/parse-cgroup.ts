/** A line of /proc/PID/cgroup. */
export type CgroupLine = {
  readonly hierarchy: number
  readonly controllers: readonly string[]
  readonly path: string
}

const DELETED = ' (deleted)'

/** The lines of /proc/PID/cgroup. */
export const parseCgroup = (text: string): readonly CgroupLine[] =>
  text.split('\n').flatMap((line) => {
    // The path may hold colons.
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line)
    if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return []
    const path = match[3].endsWith(DELETED) ? match[3].slice(0, -DELETED.length) : match[3]
    return [{ hierarchy: Number(match[1]), controllers: match[2] === '' ? [] : match[2].split(','), path }]
  })

/** The cgroup that memory is charged to: of the v1 memory controller where there is one, else the unified one. */
export const memoryCgroup = (lines: readonly CgroupLine[]): string | undefined =>
  (lines.find((line) => line.controllers.includes('memory')) ?? unified(lines))?.path

/** The innermost systemd service or scope. */
export const systemdUnit = (lines: readonly CgroupLine[]): string | undefined => {
  const line = lines.find(({ controllers }) => controllers.includes('name=systemd')) ?? unified(lines)
  return line?.path.split('/').findLast((part) => /.\.(?:service|scope)$/.test(part))
}

/** The innermost container: docker, podman and the CRI runtimes all put its 64 digits into the path. */
export const containerId = (lines: readonly CgroupLine[]): string | undefined => {
  for (const { path } of lines) {
    const part = path.split('/').findLast((name) => CONTAINER.test(name))
    const id = part === undefined ? undefined : CONTAINER.exec(part)?.[1]
    if (id !== undefined) return id
  }
  return undefined
}

const CONTAINER = /(?:^|[-:])([0-9a-f]{64})(?:\.scope)?$/

const unified = (lines: readonly CgroupLine[]): CgroupLine | undefined =>
  lines.find(({ hierarchy }) => hierarchy === 0)
