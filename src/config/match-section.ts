import { z } from 'zod'
import { RUNTIMES } from '../model.ts'
import { pattern, section } from './fields.ts'
import { quoted } from './words.ts'

/** `match` of a target. */
export const matchSchema = section('How to recognise the process; all given keys must match.', {
  cmdline: pattern()
    .optional()
    .meta({ description: 'Regular expression, searched for in the arguments joined by spaces.' }),
  exe: pattern().optional().meta({ description: "Glob on the executable's path." }),
  user: pattern().optional().meta({ description: 'Login name, or the uid in digits.' }),
  unit: pattern().optional().meta({ description: "Glob on the systemd unit's name." }),
  cgroup: pattern().optional().meta({ description: 'Glob on the cgroup path.' }),
  container: pattern().optional().meta({
    description: "A container id or the beginning of one, or a glob on the container's name.",
  }),
  runtime: z
    .enum(RUNTIMES, {
      error: ({ input }) => `${quoted(String(input))} is no runtime: write ${RUNTIMES.join(', ')}`,
    })
    .optional()
    .meta({ description: 'What runs its container.' }),
  image: pattern().optional().meta({
    description: 'Glob on the image of its container, as its pod or docker run names it.',
  }),
  pod: pattern().optional().meta({ description: "Glob on its pod's name; see kubernetes.pods_url." }),
  namespace: pattern().optional().meta({ description: "Glob on its pod's namespace." }),
  labels: z
    .record(z.string().min(1).max(320), pattern())
    .refine((labels) => Object.keys(labels).length > 0, { error: 'needs at least one label' })
    .optional()
    .meta({
      description: 'Globs on labels of its pod, or of its container where that is in none; all must match.',
      minProperties: 1,
    }),
})
  .refine((keys) => Object.keys(keys).length > 0, {
    error:
      'needs at least one of cmdline, exe, user, unit, cgroup, container, runtime, image, pod, namespace, labels',
    when: ({ issues }) => issues.length === 0,
  })
  .meta({ minProperties: 1 })
