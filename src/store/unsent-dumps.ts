import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnsentDump, UploadRecord } from '../model.ts'
import { listDumpPlaces, readManifest } from './read-dumps.ts'
import { readUploadRecord } from './upload-record.ts'

/** What a place does not have yet, the oldest first. */
export async function listUnsent(storeDir: string, place: string): Promise<readonly UnsentDump[]> {
  const { places } = await listDumpPlaces(storeDir)
  const unsent: UnsentDump[] = []
  for (const { id, path } of places) {
    const record = await readUploadRecord(path)
    const endingBytes = await sizeOf(join(path, 'ending.json'))
    if (isSent(record, place) && (endingBytes === undefined || record?.files['ending.json'] !== undefined))
      continue
    const manifest = await readManifest(path)
    const manifestBytes = await sizeOf(join(path, 'dump.json'))
    // One that cannot be read is told by whoever lists the store.
    if (manifest.kind === 'unreadable' || manifestBytes === undefined) continue
    const files = [
      ...manifest.value.files,
      ...(endingBytes === undefined ? [] : [{ name: 'ending.json', bytes: endingBytes, sha256: undefined }]),
      { name: 'dump.json', bytes: manifestBytes, sha256: undefined },
    ]
    unsent.push({ id, path, files, record })
  }
  return unsent.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

/** Whether a place was found to have a dump whole. */
export const isSent = (record: UploadRecord | undefined, place: string): boolean =>
  record?.place === place && record.finished_at !== undefined

/** It begins with the time. */
const nameOf = ({ id }: UnsentDump): string => id.slice(id.indexOf('/') + 1)

const sizeOf = (path: string): Promise<number | undefined> =>
  lstat(path).then(
    (stat) => (stat.isFile() ? stat.size : undefined),
    () => undefined,
  )
