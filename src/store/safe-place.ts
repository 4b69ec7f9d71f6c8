import { lstat, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Why somebody else could put a directory of his own in the place of `dir`, or write into it; undefined when only root
 * and we can. A link is no danger where nobody else can change it.
 */
export async function findUnsafe(dir: string, uid: number): Promise<string | undefined> {
  const { mode } = await stat(dir)
  if ((mode & 0o002) !== 0) return `${dir} can be written by everybody`
  for (const path of new Set([dir, await realpath(dir)])) {
    const problem = await findUnsafeStep(path, uid)
    if (problem !== undefined) return problem
  }
  return undefined
}

async function findUnsafeStep(path: string, uid: number): Promise<string | undefined> {
  const found = await lstat(path)
  if (found.uid !== 0 && found.uid !== uid) return `${path} belongs to another user (uid ${found.uid})`
  const parent = dirname(path)
  if (parent === path) return undefined
  const { mode } = await stat(parent)
  // In a sticky directory, such as /tmp, only its owner may replace what is there.
  const isOpen = (mode & 0o002) !== 0 && (mode & 0o1000) === 0
  return isOpen ? `${parent} can be written by everybody` : findUnsafeStep(parent, uid)
}
