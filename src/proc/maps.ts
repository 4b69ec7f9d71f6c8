/** One line of /proc/PID/maps. */
export type Mapping = {
  readonly start: number
  readonly end: number
  readonly permissions: string
  readonly offset: number
  readonly device: string
  readonly inode: number
  /** As the kernel writes it, without ` (deleted)`; empty for anonymous memory. */
  readonly path: string
  readonly isDeleted: boolean
}

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+) (\d+) *(.*)$/

/** The mappings in /proc/PID/maps; lines that make no sense are left out. */
export function parseMaps(text: string): Mapping[] {
  return text.split('\n').flatMap((line) => parseMapsLine(line) ?? [])
}

/** One line of maps, or the head line of an entry in smaps. */
export function parseMapsLine(line: string): Mapping | undefined {
  const [, start = '', end = '', permissions = '', offset = '', device = '', inode = '', name = ''] =
    LINE.exec(line) ?? []
  if (start === '') return undefined
  const isDeleted = name.endsWith(' (deleted)')
  return {
    start: parseInt(start, 16),
    end: parseInt(end, 16),
    permissions,
    offset: parseInt(offset, 16),
    device,
    inode: Number(inode),
    path: isDeleted ? name.slice(0, -' (deleted)'.length) : name,
    isDeleted,
  }
}
