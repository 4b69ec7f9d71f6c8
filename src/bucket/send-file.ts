import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Bucket, Headers, SentPart } from './client.ts'
import { WrongContent } from './failure.ts'

const MIB = 2 ** 20
/** What is larger goes in parts: so much is sent again at most after a break, and held in memory meanwhile. */
const PART_BYTES = 8 * MIB
/** An object has 10,000 at most. */
const MOST_PARTS = 9000

export type FileToSend = {
  readonly path: string
  readonly key: string
  readonly bytes: number
  /** Undefined for a file that no manifest describes. */
  readonly sha256: string | undefined
  readonly headers: Headers
  /** Of an earlier attempt. */
  readonly uploadId: string | undefined
}

/**
 * Sends a file, going on where an earlier attempt has ended, and looks at what is there then; answers its ETag. `begun`
 * hears of the upload that a later attempt can go on with. Throws what the bucket throws, and `WrongContent`.
 */
export async function sendFile(
  bucket: Bucket,
  file: FileToSend,
  begun: (uploadId: string) => Promise<void>,
): Promise<SentPart> {
  const handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = await handle.stat()
    if (!stat.isFile() || stat.size !== file.bytes) throw new WrongContent(`${file.path} is not what it was`)
    const expected =
      file.bytes <= PART_BYTES
        ? await sendWhole(bucket, file, handle)
        : await sendParts(bucket, file, handle, begun)
    return await check(bucket, file, expected)
  } finally {
    await handle.close()
  }
}

async function sendWhole(bucket: Bucket, file: FileToSend, handle: FileHandle): Promise<string> {
  const bytes = await readPart(handle, 0, file.bytes)
  if (file.sha256 !== undefined && sha256Of(bytes) !== file.sha256) throw damaged(file)
  await bucket.put(file.key, bytes, file.headers)
  return createHash('md5').update(bytes).digest('hex')
}

async function sendParts(
  bucket: Bucket,
  file: FileToSend,
  handle: FileHandle,
  begun: (uploadId: string) => Promise<void>,
): Promise<string> {
  const partBytes = partBytesOf(file.bytes)
  const known = file.uploadId === undefined ? undefined : await bucket.parts(file.key, file.uploadId)
  const uploadId =
    known === undefined || file.uploadId === undefined
      ? await bucket.begin(file.key, file.headers)
      : file.uploadId
  if (known === undefined) await begun(uploadId)
  const etags: string[] = []
  const [whole, ofParts] = [createHash('sha256'), createHash('md5')]
  for (let number = 1, at = 0; at < file.bytes; number++, at += partBytes) {
    const bytes = await readPart(handle, at, Math.min(partBytes, file.bytes - at))
    whole.update(bytes)
    const md5 = createHash('md5').update(bytes).digest()
    ofParts.update(md5)
    const there = known?.get(number)
    const isThere =
      there?.bytes === bytes.length && (there.etag === md5.toString('hex') || !isMd5(there.etag))
    etags.push(isThere ? there.etag : await bucket.putPart({ key: file.key, uploadId, number }, bytes))
  }
  if (file.sha256 !== undefined && whole.digest('hex') !== file.sha256) throw damaged(file)
  await bucket.complete(file.key, uploadId, etags)
  return `${ofParts.digest('hex')}-${etags.length}`
}

/**
 * Whether what is there is what was sent: by the ETag where it is made of MD5, which it is not where the storage encrypts
 * with keys of its own; then by reading it back.
 */
async function check(bucket: Bucket, file: FileToSend, expected: string): Promise<SentPart> {
  const there = await bucket.stat(file.key)
  if (there?.bytes !== file.bytes)
    throw new WrongContent(`${file.key} has ${there?.bytes ?? 0} of ${file.bytes} bytes there`)
  if (there.etag === expected) return there
  const response = await bucket.get(file.key)
  const hash = createHash('sha256')
  for await (const piece of response?.body ?? []) hash.update(piece as Uint8Array)
  if (file.sha256 === undefined || hash.digest('hex') !== file.sha256)
    throw new WrongContent(`${file.key} is not there what it is here`)
  return there
}

const isMd5 = (etag: string): boolean => /^[\da-f]{32}$/.test(etag)

const damaged = ({ path }: FileToSend): WrongContent =>
  new WrongContent(`${path} is not what its manifest says`)

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The size of parts of a file; whole MiB. Exported for its tests. */
export const partBytesOf = (bytes: number): number =>
  Math.max(PART_BYTES, Math.ceil(bytes / MOST_PARTS / MIB) * MIB)

async function readPart(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length)
  for (let read = 0; read < length;) {
    const { bytesRead } = await handle.read(bytes, read, length - read, at + read)
    if (bytesRead === 0) throw new WrongContent('the file was cut off while it was sent')
    read += bytesRead
  }
  return bytes
}
