import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Bucket, Listed } from './client.ts'
import { WrongContent } from './failure.ts'

/** A dump in a bucket. */
export type RemoteDump = {
  /** What stands before it: the hosts' names, as a rule; empty or with slashes. */
  readonly from: string
  readonly target: string
  readonly name: string
  /** By name. */
  readonly files: ReadonlyMap<string, Listed>
}

/** The dumps among the objects below a prefix: `…/target/name/file`; whatever `isOurs` does not know is left alone. */
export function groupObjects(
  listed: readonly Listed[],
  prefix: string,
  isOurs: (parts: { readonly target: string; readonly name: string; readonly file: string }) => boolean,
): readonly RemoteDump[] {
  const dumps = new Map<string, RemoteDump & { readonly files: Map<string, Listed> }>()
  for (const object of listed) {
    const path = prefix === '' ? object.key : object.key.slice(prefix.length + 1)
    if (prefix !== '' && !object.key.startsWith(`${prefix}/`)) continue
    const parts = path.split('/')
    const [target = '', name = '', file = ''] = parts.slice(-3)
    if (parts.length < 3 || !isOurs({ target, name, file })) continue
    const from = parts.slice(0, -3).join('/')
    const key = `${from}/${target}/${name}`
    const dump = dumps.get(key) ?? { from, target, name, files: new Map<string, Listed>() }
    dump.files.set(file, object)
    dumps.set(key, dump)
  }
  // Sent last: before it is there the others are not all there.
  return [...dumps.values()].filter(({ files }) => files.has('dump.json'))
}

/** Fetches an object into a file, which is there whole or not at all; throws what `explainBucketError` explains. */
export async function fetchObject(
  bucket: Bucket,
  { key, bytes }: Listed,
  file: string,
  sha256?: string,
): Promise<void> {
  const response = await bucket.get(key)
  if (response?.body === undefined || response.body === null) throw new WrongContent(`${key} is gone`)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  const hash = createHash('sha256')
  let read = 0
  const count = new Transform({
    transform: (piece: Buffer, _, done) => {
      read += piece.length
      hash.update(piece)
      // It may be another one by now, and of any size.
      if (read > bytes) done(new WrongContent(`${key} has more than its ${bytes} bytes`))
      else done(null, piece)
    },
  })
  try {
    await pipeline(Readable.fromWeb(response.body), count, createWriteStream(draft, { mode: 0o600 }))
    if (read !== bytes) throw new WrongContent(`${key} was cut off`)
    if (sha256 !== undefined && hash.digest('hex') !== sha256)
      throw new WrongContent(`${key} is not what its manifest says`)
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}
