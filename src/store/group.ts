import { readFile } from 'node:fs/promises'

/** The gid of a group, or undefined where the machine has no such group. */
export async function findGroupId(groupFile: string, name: string): Promise<number | undefined> {
  const text = await readFile(groupFile, 'utf8').catch(() => '')
  return parseGroupId(text, name)
}

/** The gid that a file like /etc/group gives a name. */
export function parseGroupId(text: string, name: string): number | undefined {
  const fields = text
    .split('\n')
    .map((line) => line.split(':'))
    .find((line) => line[0] === name)
  const gid = fields?.[2] ?? ''
  return /^\d{1,10}$/.test(gid) ? Number(gid) : undefined
}
