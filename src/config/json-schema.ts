import { z } from 'zod'
import { configSchema } from './schema.ts'

/** The JSON Schema that editors complete and check the config with, as the text of a file. */
export const jsonSchemaText = (): string => {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' })
  return `${JSON.stringify({ $schema, title: 'pyheap-watchd', ...rest }, undefined, 2)}\n`
}
