import { parseMapsLine } from '../proc/maps.ts'

/**
 * The libpython that the lines map for execution, if any. Only mapped for reading it is data: debuggers, linkers and
 * backups look into libpython without running it.
 */
export const findLibpython = (lines: string): string | undefined => {
  if (!lines.includes('/libpython')) return undefined
  for (const line of lines.split('\n')) {
    const file = line.includes('/libpython') ? parseMapsLine(line) : undefined
    if (file && file.inode !== 0 && file.permissions[2] === 'x' && isLibpython(file.path)) return file.path
  }
  return undefined
}

const isLibpython = (path: string): boolean =>
  /^libpython\d+\.\d+.*\.so/.test(path.slice(path.lastIndexOf('/') + 1))
