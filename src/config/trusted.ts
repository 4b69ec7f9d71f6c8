import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Why the configuration must not be believed: hooks run what it says, so whoever can write it is root. Of the main file,
 * its drop-ins and the directories that they are in.
 */
export async function findUntrusted(path: string, uid: number): Promise<readonly string[]> {
  const folder = dirname(path)
  const dropIns = join(folder, 'config.d')
  const names = await readdir(dropIns).catch((): string[] => [])
  const files = names.filter((name) => name.endsWith('.yaml')).map((name) => join(dropIns, name))
  const all = [folder, path, ...(names.length > 0 ? [dropIns] : []), ...files]
  const problems = await Promise.all(all.map((each) => judge(each, uid)))
  return problems.flatMap((problem) => (problem === undefined ? [] : [problem]))
}

async function judge(path: string, uid: number): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return undefined // told when it is read
  if (found.uid !== 0 && found.uid !== uid)
    return `${path} belongs to another user (uid ${found.uid}): chown root ${path}`
  const isOpen = (found.mode & 0o002) !== 0 && (found.isFile() || (found.mode & 0o1000) === 0)
  return isOpen ? `${path} can be written by everybody: chmod o-w ${path}` : undefined
}
