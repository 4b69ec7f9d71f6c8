import { closeSync, readFileSync, readSync } from 'node:fs'
import { type Mapping, parseMaps } from '../proc/maps.ts'
import { type ElfFile, loadBias } from './elf.ts'
import { firstOfEachFile, openImage } from './mapped-file.ts'

const PAGE = 4096
const ALIGNMENT = 64
/** Never unloaded while the process lives; a plugin may be, with a pending call still in the queue. */
const STAYS = /\/(libpython3|python3|libc[.-]|libm[.-]|libz\.|ld-|libpthread|libdl|lib-dynload\/)/

/** Room behind the code of an image, and what its file has there. */
export type CodeSlack = { readonly address: number; readonly original: Buffer }

/**
 * Room for code in a live process: the rest of the last page of some image's code. The loader maps whole pages, so
 * there are on average 2 KiB behind each image's last instruction that nothing ever runs. Undefined when there is no
 * such room that `isUsable`; the address is the same every time for the same process.
 */
export function findCodeSlack(
  procRoot: string,
  pid: number,
  bytes: number,
  isUsable: (slack: CodeSlack) => boolean,
): number | undefined {
  const mappings = parseMaps(readFileSync(`${procRoot}/${pid}/maps`, 'latin1'))
  for (const first of firstOfEachFile(mappings).toSorted((a, b) => rank(a) - rank(b))) {
    const image = openImage(procRoot, pid, first)
    if (!image) continue
    try {
      const found = slackOf(image, first, mappings, bytes)
      if (!found) continue
      const original = Buffer.alloc(bytes)
      readSync(image.fd, original, 0, bytes, found.offset)
      if (isUsable({ address: found.address, original })) return found.address
    } finally {
      closeSync(image.fd)
    }
  }
  return undefined
}

const rank = ({ path }: Mapping): number => (STAYS.test(path) ? 0 : 1)

/** Where the slack of one image begins, in memory and in its file, if it is `bytes` long and mapped for execution. Pure. */
export function slackOf(
  image: Pick<ElfFile, 'type' | 'loads'>,
  first: Mapping,
  mappings: readonly Mapping[],
  bytes: number,
): { readonly address: number; readonly offset: number } | undefined {
  const bias = loadBias(image, first)
  for (const { address, size, offset } of image.loads.filter(({ isExecutable }) => isExecutable)) {
    const from = Math.ceil((bias + address + size) / ALIGNMENT) * ALIGNMENT
    const pageEnd = Math.ceil((bias + address + size) / PAGE) * PAGE
    const isMapped = mappings.some(
      ({ end, permissions, inode }) =>
        inode === first.inode && end === pageEnd && permissions.startsWith('r-x'),
    )
    if (isMapped && from + bytes <= pageEnd) return { address: from, offset: offset + from - bias - address }
  }
  return undefined
}
