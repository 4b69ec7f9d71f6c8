import { z } from 'zod'
import { RUNTIMES } from '../model.ts'

/** `process.container` of dump.json. */
export const containerSchema = z.object({
  // A newer version may know more of them.
  runtime: z.enum(RUNTIMES).catch('unknown'),
  pod_uid: z.string().optional(),
  pod: z.string().optional(),
  namespace: z.string().optional(),
  name: z.string().optional(),
  image: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
})
