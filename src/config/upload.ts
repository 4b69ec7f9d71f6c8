import { hostname } from 'node:os'
import { z } from 'zod'
import { hostName } from '../host-name.ts'
import type { Upload } from '../model.ts'
import { path, rate, section, webAddress } from './fields.ts'
import { quoted } from './words.ts'

/** The section `upload`. */
export const uploadSchema = section('Finished dumps are sent to S3-compatible object storage.', {
  endpoint: webAddress('https://s3.eu-central-1.amazonaws.com').meta({
    description: 'Its address, without the bucket.',
  }),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, {
      error: ({ input }) =>
        `${quoted(String(input))} is no bucket: 3 to 63 small letters, digits, "." and "-"`,
    })
    .meta({ description: 'The bucket, which has to be there.' }),
  prefix: z
    .string()
    .max(200)
    .regex(/^(?:[A-Za-z0-9._{}-]+(?:\/[A-Za-z0-9._{}-]+)*)?$/, {
      error: ({ input }) =>
        `${quoted(String(input))} cannot be a prefix: write parts of letters, digits, ".", "_" and "-", as in dumps/{host}`,
    })
    .prefault('{host}')
    .meta({
      description:
        "Before the names of dumps; {host} is this host's name, {node} NODE_NAME of the environment, or else the same.",
    }),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .prefault('us-east-1')
    .meta({ description: 'Its region.' }),
  credentials_file: path().optional().meta({
    description:
      "File with the keys as AWS's command line has them, [default] in it; without it AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment.",
  }),
  bandwidth: rate().optional().meta({ description: 'Most that is sent, as in 20MiB/s.' }),
  encryption: z.enum(['none', 'AES256', 'aws:kms']).prefault('none').meta({
    description: 'Encryption that the storage is asked for; none leaves it to the bucket.',
  }),
  kms_key: z
    .string()
    .regex(/^[\w:/-]{1,500}$/)
    .optional()
    .meta({ description: 'With aws:kms: the key; else the one of the account.' }),
  tags: z
    .record(z.string().regex(/^[\w+=.:/@ -]{1,128}$/), z.string().regex(/^[\w+=.:/@ -]{0,256}$/))
    .refine((tags) => Object.keys(tags).length <= 10, { error: 'an object has 10 tags at most' })
    .prefault({})
    .meta({ description: "Tags of every object, for the bucket's rules on their lifecycle." }),
  delete_local: z.boolean().prefault(false).meta({
    description:
      'Remove a dump here once it has been found whole there; the newest of a target, what it is compared with and pinned ones stay.',
  }),
}).refine(({ encryption, kms_key: key }) => key === undefined || encryption === 'aws:kms', {
  error: 'kms_key goes with encryption: aws:kms',
  when: ({ issues }) => issues.length === 0,
})

/** An upload that the schema has accepted. */
export const toUpload = (
  upload: z.output<typeof uploadSchema>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Upload => ({
  endpoint: upload.endpoint,
  bucket: upload.bucket,
  prefix: expand(upload.prefix, env),
  region: upload.region,
  credentialsFile: upload.credentials_file,
  bytesPerMs: upload.bandwidth,
  encryption: upload.encryption,
  kmsKey: upload.kms_key,
  tags: upload.tags,
  deleteLocal: upload.delete_local,
})

/** Names of hosts in an address or a prefix. */
const expand = (text: string, env: Readonly<Record<string, string | undefined>>): string => {
  const safe = (name: string): string => name.replaceAll(/[^A-Za-z0-9._-]/g, '_')
  return text.replaceAll('{host}', safe(hostname())).replaceAll('{node}', safe(hostName(env)))
}
