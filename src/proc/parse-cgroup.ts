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
export const memoryCgroup = (lines: readonly CgroupLine[]): string | undefined => memoryLine(lines)?.path

/** The line of the hierarchy that memory is charged in. */
export const memoryLine = (lines: readonly CgroupLine[]): CgroupLine | undefined =>
  lines.find((line) => line.controllers.includes('memory')) ?? unified(lines)

/** The innermost systemd service or scope. */
export const systemdUnit = (lines: readonly CgroupLine[]): string | undefined => {
  const line = lines.find(({ controllers }) => controllers.includes('name=systemd')) ?? unified(lines)
  return line?.path.split('/').findLast((part) => /.\.(?:service|scope)$/.test(part))
}

const unified = (lines: readonly CgroupLine[]): CgroupLine | undefined =>
  lines.find(({ hierarchy }) => hierarchy === 0)
