import { randomBytes } from 'node:crypto'
import { openBucket } from '../bucket/client.ts'
import { readCredentials } from '../bucket/credentials.ts'
import { explainBucketError } from '../bucket/failure.ts'
import { headersOf } from '../bucket/send-dump.ts'
import { objectKey, placeKey, type Upload } from '../model.ts'
import { type Check, failed, ok } from '../self-check.ts'

/** Tries where dumps are sent with a few bytes, which stay there, as nothing has to be deleted to send dumps. */
export async function checkUpload(upload: Upload): Promise<Check> {
  const credentials = await readCredentials(upload.credentialsFile, process.env)
  if (credentials instanceof Error) return failed('upload', credentials.message)
  const key = objectKey(upload, 'doctor-trial')
  const bucket = openBucket(upload, credentials, { signal: AbortSignal.timeout(20_000) })
  const bytes = randomBytes(16)
  try {
    await bucket.put(key, bytes, headersOf(upload, undefined))
    const there = await bucket.stat(key)
    return there?.bytes === bytes.length
      ? ok('upload', `${placeKey(upload)} takes dumps; it has ${key} now`)
      : failed('upload', `${placeKey(upload)} does not have what it took`)
  } catch (error) {
    const { detail, hint } = explainBucketError(error)
    return failed('upload', `${placeKey(upload)}: ${detail}${hint === undefined ? '' : `; ${hint}`}`)
  }
}
