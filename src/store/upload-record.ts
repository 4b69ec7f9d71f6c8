import { join } from 'node:path'
import { z } from 'zod'
import type { UploadRecord } from '../model.ts'
import { readBounded } from './bounded-read.ts'
import { findGroupId } from './group.ts'
import type { StoreFailed } from './io-failure.ts'
import type { StorePlace } from './place.ts'
import { replaceFileSafely } from './write-safely.ts'

/** A file of this name in a dump says what has been sent of it. */
const NAME = 'upload.json'
const MOST_BYTES = 256 * 1024

const schema: z.ZodType<UploadRecord> = z.object({
  format: z.literal(1),
  place: z.string(),
  files: z.record(z.string(), z.object({ bytes: z.number(), etag: z.string() })),
  pending: z.object({ file: z.string(), uploadId: z.string() }).optional(),
  finished_at: z.string().optional(),
})

/** What has been sent of a dump; undefined where nothing was, or nobody can tell. */
export async function readUploadRecord(dumpPath: string): Promise<UploadRecord | undefined> {
  const read = await readBounded(join(dumpPath, NAME), MOST_BYTES)
  if (read.kind === 'unreadable') return undefined
  try {
    return schema.safeParse(JSON.parse(read.text)).data
  } catch {
    return undefined
  }
}

/** Notes what has been sent of a dump. */
export async function writeUploadRecord(
  place: Pick<StorePlace, 'groupFile'>,
  dumpPath: string,
  record: UploadRecord,
): Promise<StoreFailed | undefined> {
  const gid = await findGroupId(place.groupFile, 'pyheap')
  return replaceFileSafely(join(dumpPath, NAME), `${JSON.stringify(record, null, 1)}\n`, gid)
}
