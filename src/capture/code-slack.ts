import { closeSync, readFileSync } from 'node:fs'
import { type Mapping, parseMaps } from '../proc/maps.ts'
import { type ElfFile, loadBias } from './elf.ts'
import { firstOfEachFile, openImage } from './mapped-file.ts'

const PAGE = 4096
const ALIGNMENT = 64
/** Never unloaded while the process lives; a plugin may be, with a pending call still in the queue. */
const STAYS = /\/(libpython3|python3|libc[.-]|libm[.-]|libz\.|ld-|libpthread|libdl|lib-dynload\/)/

/**
 * Room for code in a live process: the rest of the last page of some image's code. The loader maps whole pages, so
 * there are on average 2 KiB behind each image's last instruction that nothing ever runs. Undefined when there is no
 * such room; the address is the same every time for the same process.
 */
export function findCodeSlack(procRoot: string, pid: number, bytes: number): number | undefined {
  const mappings = parseMaps(readFileSync(`${procRoot}/${pid}/maps`, 'latin1'))
  for (const first of firstOfEachFile(mappings).toSorted((a, b) => rank(a) - rank(b))) {
    const image = openImage(procRoot, pid, first)
    if (!image) continue
    closeSync(image.fd)
    const address = slackOf(image, first, mappings, bytes)
    if (address !== undefined) return address
  }
  return undefined
}

const rank = ({ path }: Mapping): number => (STAYS.test(path) ? 0 : 1)

/** Where the slack of one image begins, if it is `bytes` long and mapped for execution. Pure. */
export function slackOf(
  image: Pick<ElfFile, 'type' | 'loads'>,
  first: Mapping,
  mappings: readonly Mapping[],
  bytes: number,
): number | undefined {
  const bias = loadBias(image, first)
  for (const { address, size } of image.loads.filter(({ isExecutable }) => isExecutable)) {
    const from = Math.ceil((bias + address + size) / ALIGNMENT) * ALIGNMENT
    const pageEnd = Math.ceil((bias + address + size) / PAGE) * PAGE
    const isMapped = mappings.some(
      ({ end, permissions, inode }) =>
        inode === first.inode && end === pageEnd && permissions.startsWith('r-x'),
    )
    if (isMapped && from + bytes <= pageEnd) return from
  }
  return undefined
}
