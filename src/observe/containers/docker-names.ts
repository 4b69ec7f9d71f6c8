import { open } from 'node:fs/promises'
import { z } from 'zod'
import type { ContainerNames } from '../../model.ts'

const MOST_BYTES = 4 * 1024 * 1024
const MOST_LABELS = 100
const short = z.string().max(1000)

const configSchema = z.object({
  Name: short,
  Config: z.object({
    Image: short.nullish(),
    Labels: z.record(short, z.string()).nullish(),
  }),
})

/** What Docker's own file says of a container; undefined where there is none, or it is none of Docker's. */
export async function readDockerNames(directory: string, id: string): Promise<ContainerNames | undefined> {
  try {
    const parsed = configSchema.safeParse(JSON.parse(await readBounded(`${directory}/${id}/config.v2.json`)))
    if (!parsed.success) return undefined
    const { Name: name, Config: config } = parsed.data
    const labels = Object.entries(config.Labels ?? {})
      .filter(([, value]) => value.length <= 1000)
      .slice(0, MOST_LABELS)
    return {
      runtime: 'docker',
      name: name.replace(/^\//, ''),
      ...(config.Image && { image: config.Image }),
      ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    }
  } catch {
    // Not Docker's, or not to be read: it has no names here.
    return undefined
  }
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    return size > MOST_BYTES ? '' : await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
