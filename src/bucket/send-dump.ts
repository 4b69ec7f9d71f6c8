import { join } from 'node:path'
import { objectKey, placeKey, type UnsentDump, type Upload, type UploadRecord } from '../model.ts'
import type { Bucket, Headers } from './client.ts'
import { type BucketFailed, explainBucketError } from './failure.ts'
import { sendFile } from './send-file.ts'

export type SentDump = {
  readonly kind: 'sent'
  readonly record: UploadRecord
  /** Sent now. */
  readonly bytes: number
}

/** Sends what the place does not have yet of a dump. `save` keeps what a later attempt needs not to send again. */
export async function sendDump(
  bucket: Bucket,
  upload: Upload,
  dump: UnsentDump,
  save: (record: UploadRecord) => Promise<void>,
): Promise<SentDump | BucketFailed> {
  const place = placeKey(upload)
  const before = dump.record?.place === place ? dump.record : undefined
  const files = new Map(Object.entries(before?.files ?? {}))
  let { pending } = before ?? {}
  let bytes = 0
  const record = (): UploadRecord => ({ format: 1, place, files: Object.fromEntries(files), pending })
  try {
    for (const file of dump.files) {
      if (files.get(file.name)?.bytes === file.bytes) continue
      const sent = await sendFile(
        bucket,
        {
          ...file,
          path: join(dump.path, file.name),
          key: objectKey(upload, `${dump.id}/${file.name}`),
          headers: headersOf(upload, file.sha256),
          uploadId: pending?.file === file.name ? pending.uploadId : undefined,
        },
        async (uploadId) => {
          pending = { file: file.name, uploadId }
          await save(record())
        },
      )
      bytes += file.bytes
      files.set(file.name, sent)
      pending = undefined
      await save(record())
    }
    const whole = { ...record(), finished_at: new Date().toISOString() }
    await save(whole)
    return { kind: 'sent', record: whole, bytes }
  } catch (error) {
    return explainBucketError(error)
  }
}

/** What every object of an upload is sent with. */
export const headersOf = ({ encryption, kmsKey, tags }: Upload, sha256: string | undefined): Headers => ({
  ...(sha256 !== undefined && { 'x-amz-meta-sha256': sha256 }),
  ...(encryption !== 'none' && { 'x-amz-server-side-encryption': encryption }),
  ...(kmsKey !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': kmsKey }),
  ...(Object.keys(tags).length > 0 && { 'x-amz-tagging': new URLSearchParams(tags).toString() }),
})
