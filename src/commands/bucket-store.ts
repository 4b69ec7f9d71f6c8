import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Bucket, type Listed, openBucket } from '../bucket/client.ts'
import { readCredentials } from '../bucket/credentials.ts'
import { type BucketFailed, explainBucketError } from '../bucket/failure.ts'
import { fetchObject, groupObjects, type RemoteDump } from '../bucket/remote-dumps.ts'
import type { Config } from '../config/config.ts'
import { type BucketPlace, placeKey } from '../model.ts'
import { type DumpFileName, dumpFileLimits, LARGE_FILES, type LargeFileName } from '../store/dump-files.ts'
import { formatPathPart, parseDumpName } from '../store/layout.ts'
import { readManifest } from '../store/read-dumps.ts'
import type { Terminal } from './terminal.ts'

/** A store whose dumps are somewhere else: only what a list shows is here until one is fetched. */
export type BucketStore = {
  readonly dir: string
  /** Brings the rest of a dump here, of the large files only these; answers why it could not. */
  readonly fetch: (dumpPath: string, large: readonly LargeFileName[]) => Promise<string | undefined>
}

/** What a list shows. */
const HEADS: readonly DumpFileName[] = ['dump.json', 'findings.json', 'ending.json']
/** Fetched at a time. */
const AT_ONCE = 8

/** Opens `s3://bucket/prefix` as a store; tells why it cannot. */
export async function openBucketStore(
  url: string,
  config: Config,
  terminal: Terminal,
): Promise<BucketStore | undefined> {
  const place = placeOf(url, config, process.env)
  if (place === undefined) {
    terminal.err(`${url} is no bucket: write s3://bucket or s3://bucket/prefix`)
    return undefined
  }
  const isConfigured = config.upload?.bucket === place.bucket
  const file = isConfigured ? config.upload.credentialsFile : process.env['AWS_SHARED_CREDENTIALS_FILE']
  const credentials = await readCredentials(file, process.env)
  if (credentials instanceof Error) {
    terminal.err(`${url}: ${credentials.message}`)
    return undefined
  }
  const bucket = openBucket(place, credentials, { signal: new AbortController().signal })
  try {
    return await mirror(bucket, place, terminal)
  } catch (error) {
    tell(url, explainBucketError(error), terminal)
    return undefined
  }
}

/**
 * Where `s3://bucket/prefix` is: as `upload` of the configuration says where it is that bucket, else as the environment
 * of AWS's command line does.
 */
export function placeOf(
  url: string,
  { upload }: Pick<Config, 'upload'>,
  env: Readonly<Record<string, string | undefined>>,
): BucketPlace | undefined {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/.exec(url) ?? []
  if (bucket === undefined) return undefined
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1'
  const endpoint =
    env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? `https://s3.${region}.amazonaws.com`
  return upload?.bucket === bucket
    ? { endpoint: upload.endpoint, bucket, region: upload.region, prefix }
    : { endpoint, bucket, region, prefix }
}

async function mirror(bucket: Bucket, place: BucketPlace, terminal: Terminal): Promise<BucketStore> {
  const dir = join(cacheHome(), createHash('sha256').update(placeKey(place)).digest('hex').slice(0, 16))
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  terminal.progress('listing the bucket …')
  const remote = groupObjects(await bucket.list(place.prefix), place.prefix, isOurs)
  const byPath = new Map(remote.map((dump) => [pathOf(dir, dump), dump]))
  forgetAllBut(dir, byPath)
  const wanted = [...byPath].flatMap(([path, { files }]) =>
    HEADS.flatMap((name) => {
      const object = files.get(name)
      const isWanted = object && object.bytes <= dumpFileLimits[name] && !isHere(join(path, name), object)
      return isWanted ? [{ file: join(path, name), object }] : []
    }),
  )
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    terminal.progress(`reading what ${byPath.size} dumps say: ${at} of ${wanted.length} …`)
    await Promise.all(
      wanted.slice(at, at + AT_ONCE).map(({ file, object }) => fetchObject(bucket, object, file)),
    )
  }
  terminal.progress('')
  const fetch: BucketStore['fetch'] = async (path, large) => {
    const dump = byPath.get(path)
    if (dump === undefined) return undefined
    try {
      const leave = LARGE_FILES.filter((name) => !large.includes(name))
      await fetchRest(bucket, { path, dump, leave }, terminal)
      return undefined
    } catch (error) {
      return explainBucketError(error).detail
    }
  }
  return { dir, fetch }
}

type Wanted = { readonly path: string; readonly dump: RemoteDump; readonly leave: readonly string[] }

async function fetchRest(
  bucket: Bucket,
  { path, dump: { files }, leave }: Wanted,
  terminal: Terminal,
): Promise<void> {
  const manifest = await readManifest(path)
  if (manifest.kind === 'unreadable') return
  for (const { name, sha256 } of manifest.value.files) {
    const object = files.get(name)
    const file = join(path, name)
    if (object === undefined || leave.includes(name) || isHere(file, object)) continue
    terminal.progress(`fetching ${name} …`)
    await fetchObject(bucket, object, file, sha256)
  }
  terminal.progress('')
}

/** Whether an object is named like a file of a dump. Exported for its tests. */
export const isOurs = ({ target, name, file }: { target: string; name: string; file: string }): boolean =>
  formatPathPart(target) === target &&
  parseDumpName(name) !== undefined &&
  Object.hasOwn(dumpFileLimits, file)

/** Hosts may have targets of one name: the host goes into the name here. */
export const pathOf = (dir: string, { from, target, name }: RemoteDump): string =>
  join(dir, formatPathPart([...from.split('/').filter(Boolean), target].join('.')), name)

/** Objects of a dump do not change, but for how its process has ended, which comes later. */
const isHere = (file: string, { bytes }: Listed): boolean => existsSync(file) && statSync(file).size === bytes

function forgetAllBut(dir: string, kept: ReadonlyMap<string, unknown>): void {
  for (const target of readdirSync(dir))
    for (const name of readdirSync(join(dir, target)))
      if (!kept.has(join(dir, target, name)))
        rmSync(join(dir, target, name), { recursive: true, force: true })
}

const cacheHome = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pyheap-watchd', 'buckets')

const tell = (url: string, { detail, hint }: BucketFailed, terminal: Terminal): void =>
  terminal.err(`${url}: ${detail}${hint === undefined ? '' : `\n${hint}`}`)
