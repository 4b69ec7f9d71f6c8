import { createHash } from 'node:crypto'
import { S3mini, S3ServiceError } from 's3mini'
import type { BucketPlace, Upload } from '../model.ts'
import type { Credentials } from './credentials.ts'
import { isMissing } from './failure.ts'
import { Pace } from './paced-body.ts'

/** What an upload asks of a bucket; all of it throws what `explainBucketError` explains. */
export type Bucket = {
  /** Sends a whole object. */
  readonly put: (key: string, bytes: Uint8Array, headers: Headers) => Promise<void>
  /** Begins an object that is sent in parts; answers what its parts are sent with. */
  readonly begin: (key: string, headers: Headers) => Promise<string>
  /** Sends a part, counted from 1; answers its ETag. */
  readonly putPart: (part: Part, bytes: Uint8Array) => Promise<string>
  /** The parts that are there; undefined where the upload is not known any more. */
  readonly parts: (key: string, uploadId: string) => Promise<ReadonlyMap<number, SentPart> | undefined>
  readonly complete: (key: string, uploadId: string, etags: readonly string[]) => Promise<void>
  /** Undefined where there is no such object. */
  readonly stat: (key: string) => Promise<SentPart | undefined>
  readonly get: (key: string) => Promise<Response | undefined>
  readonly list: (prefix: string) => Promise<readonly Listed[]>
}

export type Headers = Readonly<Record<`x-amz-${string}`, string>>
export type Part = { readonly key: string; readonly uploadId: string; readonly number: number }
export type SentPart = { readonly bytes: number; readonly etag: string }
export type Listed = SentPart & { readonly key: string }

/** How long a request may take besides sending what it has. */
const REQUEST_MS = 60_000
/** Reading an object takes as long as it is large. */
const GET_MS = 30 * 60_000
const CONTENT_TYPE = 'application/octet-stream'
/** Of a bucket, when it is listed. */
const MOST_LISTED = 1_000_000

/** A bucket that is spoken to until the signal; what is sent goes at the pace that is given. */
export function openBucket(
  place: BucketPlace,
  credentials: Credentials,
  { signal, bytesPerMs }: { readonly signal: AbortSignal } & Partial<Pick<Upload, 'bytesPerMs'>>,
): Bucket {
  const pace = bytesPerMs === undefined ? undefined : new Pace(bytesPerMs)
  const client = new S3mini({
    ...credentials,
    endpoint: `${place.endpoint.replace(/\/+$/, '')}/${place.bucket}`,
    region: place.region,
    fetch: (input, init = {}) => {
      const { body, method } = init
      const limitMs = method === 'GET' ? GET_MS : REQUEST_MS + lengthOf(body) / (bytesPerMs ?? SLOWEST)
      const bounded = {
        ...init,
        redirect: 'error' as const,
        signal: AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(limitMs))]),
      }
      if (pace === undefined || !(body instanceof Uint8Array) || body.length === 0)
        return fetch(input, bounded)
      const headers = new globalThis.Headers(init.headers)
      headers.set('content-length', String(body.length))
      return fetch(input, { ...bounded, headers, body: pace.body(body, bounded.signal), duplex: 'half' })
    },
  })
  return {
    put: async (key, bytes, headers) => {
      await client.putObject(key, bytes, CONTENT_TYPE, undefined, { ...headers, ...md5Header(bytes) })
    },
    begin: (key, headers) => client.getMultipartUploadId(key, CONTENT_TYPE, undefined, headers),
    putPart: async ({ key, uploadId, number }, bytes) => {
      const { etag } = await client.uploadPart(key, uploadId, bytes, number, {}, undefined, md5Header(bytes))
      return bare(etag)
    },
    parts: (key, uploadId) => listParts(client, key, uploadId),
    complete: async (key, uploadId, etags) => {
      const parts = etags.map((etag, index) => ({ partNumber: index + 1, etag }))
      // An error may come with the status of a success.
      const { etag } = await client.completeMultipartUpload(key, uploadId, parts)
      if (typeof etag !== 'string') throw new Error('the parts could not be put together')
    },
    stat: async (key) => {
      const etag = await client.getEtag(key)
      return etag === null ? undefined : { bytes: await client.getContentLength(key), etag: bare(etag) }
    },
    get: async (key) => (await client.getObjectResponse(key)) ?? undefined,
    list: async (prefix) => {
      const found = await client.listObjects('/', prefix, MOST_LISTED)
      if (found === null)
        throw new S3ServiceError('no bucket', 404, 'NoSuchBucket', '<Message>There is no such bucket.')
      return found.map(({ Key, Size, ETag }) => ({ key: Key, bytes: Size, etag: bare(ETag) }))
    },
  }
}

/** In bytes per ms; what is slower than that has stopped. */
const SLOWEST = 10

const lengthOf = (body: unknown): number => (body instanceof Uint8Array ? body.length : 0)

/** The storage refuses what does not have it. */
const md5Header = (bytes: Uint8Array): Headers =>
  // Typed as x-amz-… alone, and signed and sent like these.
  ({ 'content-md5': createHash('md5').update(bytes).digest('base64') }) as Headers

const bare = (etag: string): string => etag.replaceAll(/^"|"$/g, '')

/** There are 10,000 at most, in pages of 1,000. */
async function listParts(
  client: S3mini,
  key: string,
  uploadId: string,
): Promise<ReadonlyMap<number, SentPart> | undefined> {
  const parts = new Map<number, SentPart>()
  for (let page = 0, after = 0; page < 12; page++) {
    const query = { uploadId, ...(after > 0 && { 'part-number-marker': String(after) }) }
    let text: string
    try {
      text = await (await client.getObjectRaw(key, true, 0, undefined, query)).text()
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    for (const [, part = ''] of text.matchAll(/<Part>(.*?)<\/Part>/gs)) {
      const number = Number(/<PartNumber>(\d+)</.exec(part)?.[1])
      const bytes = Number(/<Size>(\d+)</.exec(part)?.[1])
      const etag = bare((/<ETag>([^<]*)</.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'))
      if (Number.isInteger(number) && Number.isInteger(bytes)) parts.set(number, { bytes, etag })
    }
    if (!/<IsTruncated>true</.test(text)) return parts
    after = Math.max(after, ...parts.keys())
  }
  return parts
}
