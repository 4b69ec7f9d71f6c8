import { z } from 'zod'
import { path, section, webAddress } from './fields.ts'

export const MOST_PROFILE_STORES = 8

/** One entry of `profiles`. */
export const profileStoreSchema = section('A store of profiles.', {
  kind: z.enum(['pyroscope', 'parca']).meta({ description: 'What it is.' }),
  url: webAddress('http://pyroscope:4040').meta({
    description: 'Its address, without the path of its interface.',
  }),
  labels: z
    .record(z.string().regex(/^[a-z_][a-z0-9_]{0,60}$/i), z.string().max(200))
    .prefault({})
    .meta({ description: 'Labels beside target, host and unit.' }),
  token_file: path().optional().meta({ description: 'File with a token that it asks for.' }),
})
