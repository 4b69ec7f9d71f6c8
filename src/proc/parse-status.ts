import type { MemorySplit } from '../model.ts'

/** The fields of /proc/PID/status by name; of two with the same name the first. */
export const parseStatus = (text: string): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const name = line.slice(0, colon)
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim())
  }
  return fields
}

/** The effective user of a process. */
export const effectiveUid = (fields: ReadonlyMap<string, string>): number | undefined => {
  const uid = fields.get('Uid')?.split(/\s+/)[1]
  return uid !== undefined && /^\d+$/.test(uid) ? Number(uid) : undefined
}

/** The pid that a process has in its own pid namespace, where that is another than ours. */
export const insidePid = (fields: ReadonlyMap<string, string>): number | undefined => {
  const pids = fields.get('NSpid')?.split(/\s+/) ?? []
  const [ours, inside] = [pids[0], pids.at(-1)]
  return inside !== undefined && inside !== ours && /^\d{1,10}$/.test(inside) ? Number(inside) : undefined
}

/** What resident memory is made of; undefined for a process without memory. */
export const memorySplit = (fields: ReadonlyMap<string, string>): MemorySplit | undefined => {
  const anonBytes = sizeBytes(fields.get('RssAnon'))
  const fileBytes = sizeBytes(fields.get('RssFile'))
  const shmemBytes = sizeBytes(fields.get('RssShmem'))
  if (anonBytes === undefined || fileBytes === undefined || shmemBytes === undefined) return undefined
  return { anonBytes, fileBytes, shmemBytes, swapBytes: sizeBytes(fields.get('VmSwap')) ?? 0 }
}

const sizeBytes = (value: string | undefined): number | undefined => {
  const kib = value === undefined ? undefined : /^(\d+) kB$/.exec(value)?.[1]
  return kib === undefined ? undefined : Number(kib) * 1024
}
