/** A mapped file of /proc/PID/maps. */
export type MappedFile = { readonly permissions: string; readonly path: string; readonly isDeleted: boolean }

// address, permissions, offset, device, inode other than 0, path to the end of the line
const LINE = /^[0-9a-f]+-[0-9a-f]+ ([r-][w-][x-][ps]) [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ [1-9]\d* +(\/.*)$/
const DELETED = ' (deleted)'

/** One line of /proc/PID/maps; undefined when it is not a mapped file. */
export const parseMapsLine = (line: string): MappedFile | undefined => {
  const match = LINE.exec(line)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  const isDeleted = match[2].endsWith(DELETED)
  return {
    permissions: match[1],
    path: isDeleted ? match[2].slice(0, -DELETED.length) : match[2],
    isDeleted,
  }
}

/**
 * The libpython that the lines map for execution, if any. Only mapped for reading it is data: debuggers, linkers and
 * backups look into libpython without running it.
 */
export const findLibpython = (lines: string): string | undefined => {
  if (!lines.includes('/libpython')) return undefined
  for (const line of lines.split('\n')) {
    const file = line.includes('/libpython') ? parseMapsLine(line) : undefined
    if (file?.permissions[2] === 'x' && isLibpython(file.path)) return file.path
  }
  return undefined
}

const isLibpython = (path: string): boolean =>
  /^libpython\d+\.\d+.*\.so/.test(path.slice(path.lastIndexOf('/') + 1))
