import { statSync } from 'node:fs'
import { readSmall } from './read-proc.ts'

/** Names of users as this machine's passwd file has them, read again only when the file has changed. */
export const createLoginNames = (passwdFile: string): ((uid: number) => string) => {
  let seen = ''
  let names: ReadonlyMap<number, string> = new Map()
  return (uid) => {
    const stat = statSync(passwdFile, { throwIfNoEntry: false })
    const version = stat === undefined ? '' : `${stat.ino}:${stat.mtimeMs}:${stat.size}`
    if (version !== seen) {
      seen = version
      names = parsePasswd(readSmall(passwdFile) ?? '')
    }
    return names.get(uid) ?? String(uid)
  }
}

/** Uid to login name; of two names with one uid the first, as getpwuid does. */
export const parsePasswd = (text: string): ReadonlyMap<number, string> => {
  const names = new Map<number, string>()
  for (const line of text.split('\n')) {
    const [name, , uid] = line.split(':')
    if (name === undefined || name === '' || uid === undefined || !/^\d+$/.test(uid)) continue
    if (!names.has(Number(uid))) names.set(Number(uid), name)
  }
  return names
}
