import { S3ServiceError } from 's3mini'

/** Why a bucket could not be used, and what to do about it. */
export type BucketFailed = {
  readonly kind: 'failed'
  readonly detail: string
  readonly hint?: string | undefined
  /** Whether it may go well without anybody's doing. */
  readonly isPassing: boolean
  /** Of this dump alone, or of all that is to be sent. */
  readonly concerns: 'dump' | 'place'
}

const HINTS: Readonly<Record<string, string>> = {
  SignatureDoesNotMatch: 'check the secret key of the credentials',
  InvalidAccessKeyId: 'check the access key of the credentials',
  AccessDenied:
    'let the account put and read objects below the prefix (s3:PutObject, s3:GetObject, s3:ListBucket, and s3:PutObjectTagging where upload.tags are set)',
  NoSuchBucket: 'make the bucket, or set upload.bucket',
  AuthorizationHeaderMalformed: "set upload.region to the bucket's own",
  RequestTimeTooSkewed: "set this machine's clock",
  NotImplemented:
    'this storage does not know upload.tags or upload.encryption: leave out what it has refused',
}

/** What an error of the client means. */
export function explainBucketError(error: unknown): BucketFailed {
  const service = serviceErrorOf(error)
  if (service !== undefined) {
    const { status, code, message } = service
    const isPassing = status === 429 || (status >= 500 && status !== 501) || code === 'RequestTimeout'
    return {
      kind: 'failed',
      detail: `HTTP ${status} ${code}: ${message}`,
      hint: HINTS[code],
      isPassing,
      concerns: 'place',
    }
  }
  const isOfDump =
    error instanceof WrongContent || (error instanceof Error && 'syscall' in error && 'path' in error)
  return {
    kind: 'failed',
    detail: wordsOf(error),
    isPassing: !isOfDump,
    concerns: isOfDump ? 'dump' : 'place',
  }
}

/** What is there is not what was sent. */
export class WrongContent extends Error {}

/** Whether the bucket says that there is no such thing. */
export const isMissing = (error: unknown): boolean => serviceErrorOf(error)?.status === 404

function serviceErrorOf(error: unknown) {
  const found = error instanceof S3ServiceError ? error : error instanceof Error ? error.cause : undefined
  if (!(found instanceof S3ServiceError)) return undefined
  const { status, serviceCode = 'Unknown', body = '' } = found
  const message = /<Message>([^<]{0,300})/.exec(body)?.[1] ?? ''
  return { status, code: serviceCode, message }
}

/** The message of an error and of what caused it, as `fetch failed` alone says nothing. */
function wordsOf(error: unknown): string {
  const words: string[] = []
  for (let at = error; at instanceof Error && words.length < 4; at = at.cause) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : ''
    words.push(at.message || code || at.name)
  }
  return (words.length === 0 ? String(error) : [...new Set(words)].join(': ')).slice(0, 500)
}
