import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import type { Mapping } from '../proc/maps.ts'
import { type ElfFile, readElf } from './elf.ts'

export const fileKey = ({ device, inode }: Mapping): string => `${device} ${inode}`

/** The first mapping of every mapped file. */
export function firstOfEachFile(mappings: readonly Mapping[]): Mapping[] {
  const seen = new Set<string>()
  return mappings.filter((mapping) => {
    const key = fileKey(mapping)
    if (!mapping.path.startsWith('/') || seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Opens a mapped file as the ELF image that it is; undefined when it cannot be read or is none. The caller closes it. */
export function openImage(procRoot: string, pid: number, mapping: Mapping): ElfFile | undefined {
  const fd = openMapped(procRoot, pid, mapping)
  if (fd === undefined) return undefined
  const elf = fstatSync(fd).isFile() ? readElf(fd) : undefined
  if (!elf) closeSync(fd)
  return elf
}

/** The service chooses what lies at the path: no waiting for a pipe's writer, no following of links. */
const FOR_READING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY

/** Opens the very file that is mapped, across mount namespaces, chroots and package upgrades. */
function openMapped(procRoot: string, pid: number, mapping: Mapping): number | undefined {
  const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`
  for (const [path, flags] of [
    [`map_files/${range}`, FOR_READING & ~constants.O_NOFOLLOW], // a link that the kernel made
    [`root${mapping.path}`, FOR_READING],
  ] as const)
    try {
      const fd = openSync(`${procRoot}/${pid}/${path}`, flags)
      const { ino } = fstatSync(fd)
      if (ino === mapping.inode) return fd
      closeSync(fd) // another file has taken the name
    } catch {
      continue // the next way in; none left means the file cannot be read, which the caller tells
    }
  return undefined
}
