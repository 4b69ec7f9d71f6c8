import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'

/** A directory in a process's own /tmp, which belongs to its user: for a script that it is to read and what that answers. */
export type ExchangeDirectory = {
  /** As the process sees it. */
  readonly path: string
  readonly write: (name: string, content: Buffer) => void
  /** Undefined as long as there is no such file, or more than `limit` bytes. */
  readonly read: (name: string, limit: number) => Buffer | undefined
  readonly remove: () => void
}

/**
 * Makes such a directory. The process chooses what its /tmp is: it is opened without following a link, and everything
 * below is reached through that descriptor.
 */
export function openExchangeDirectory(
  procRoot: string,
  pid: number,
  owner: { readonly uid: number; readonly gid: number },
): ExchangeDirectory | undefined {
  const name = `pyheap-${randomBytes(8).toString('hex')}`
  const asDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  let tmp: number | undefined
  try {
    tmp = openSync(`${procRoot}/${pid}/root/tmp`, asDirectory)
    mkdirSync(`/proc/self/fd/${tmp}/${name}`, { mode: 0o700 })
    const own = openSync(`/proc/self/fd/${tmp}/${name}`, asDirectory)
    fchownSync(own, owner.uid, owner.gid)
    return fromDescriptors(tmp, own, name)
  } catch {
    if (tmp !== undefined) closeSync(tmp)
    return undefined // read-only, full, or there is none
  }
}

function fromDescriptors(tmp: number, own: number, name: string): ExchangeDirectory {
  const at = (file: string): string => `/proc/self/fd/${own}/${file}`
  return {
    path: `/tmp/${name}`,
    write: (file, content) => writeFileSync(at(file), content, { flag: 'wx', mode: 0o644 }),
    read: (file, limit) => readBounded(at(file), limit),
    remove: () => {
      rmSync(`/proc/self/fd/${tmp}/${name}`, { recursive: true, force: true })
      closeSync(own)
      closeSync(tmp)
    },
  }
}

function readBounded(path: string, limit: number): Buffer | undefined {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    return fstatSync(file).size > limit ? undefined : readFileSync(file)
  } catch {
    return undefined // not yet there
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
