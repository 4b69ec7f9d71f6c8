/** A place in S3-compatible object storage. */
export type BucketPlace = {
  /** Without the bucket. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  /** Before the keys of dumps, without slashes around it; may be empty. */
  readonly prefix: string
}

/** Where finished dumps are sent, and how. */
export type Upload = BucketPlace & {
  /** As AWS's `credentials`; undefined: the environment has them. */
  readonly credentialsFile: string | undefined
  /** Undefined: as fast as it goes. */
  readonly bytesPerMs: number | undefined
  readonly encryption: 'none' | 'AES256' | 'aws:kms'
  readonly kmsKey: string | undefined
  /** What rules on the lifecycle of objects go by. */
  readonly tags: Readonly<Record<string, string>>
  readonly deleteLocal: boolean
}

/** The key of what lies below the prefix of a place. */
export const objectKey = ({ prefix }: Pick<BucketPlace, 'prefix'>, path: string): string =>
  prefix === '' ? path : `${prefix}/${path}`

/** One string per place, to tell where a dump has been sent. */
export const placeKey = ({ endpoint, bucket, prefix }: BucketPlace): string =>
  [endpoint.replace(/\/+$/, ''), bucket, ...(prefix === '' ? [] : [prefix])].join('/')

/** A dump that a place does not have whole. */
export type UnsentDump = {
  /** `target/name` in the store. */
  readonly id: string
  readonly path: string
  /** In the order in which they go: the manifest, which says that the rest is there, comes last. */
  readonly files: readonly {
    readonly name: string
    readonly bytes: number
    /** Undefined for a file that no manifest describes. */
    readonly sha256: string | undefined
  }[]
  /** What was sent before. */
  readonly record: UploadRecord | undefined
}

/** What has been sent of a dump; kept beside it. */
export type UploadRecord = {
  readonly format: 1
  /** The place, as `placeKey` names it. */
  readonly place: string
  /** By name: what the place has been found to hold. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly etag: string }>>
  /** A file that is being sent in parts. */
  readonly pending?: { readonly file: string; readonly uploadId: string } | undefined
  /** When all files were there; ISO 8601. */
  readonly finished_at?: string | undefined
}
