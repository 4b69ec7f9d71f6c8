import { z } from 'zod'
import { section } from './fields.ts'
import { quoted } from './words.ts'

export const MOST_PROFILE_STORES = 8

/** One entry of `profiles`. */
export const profileStoreSchema = section('A store of profiles.', {
  kind: z.enum(['pyroscope', 'parca']).meta({ description: 'What it is.' }),
  url: z
    .string()
    .max(1000)
    .regex(/^https?:\/\/[^\s/]+(?:\/\S*)?$/, {
      error: ({ input }) => `${quoted(String(input))} is no address: write http://pyroscope:4040`,
    })
    .meta({ description: 'Its address, without the path of its interface.' }),
  labels: z
    .record(z.string().regex(/^[a-z_][a-z0-9_]{0,60}$/i), z.string().max(200))
    .prefault({})
    .meta({ description: 'Labels beside target, host and unit.' }),
  token_file: z
    .string()
    .regex(/^\/./)
    .max(1000)
    .optional()
    .meta({ description: 'File with a token that it asks for.' }),
})
