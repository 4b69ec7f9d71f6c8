import { parse, stringify } from 'yaml'
import { jsonSchemaText } from '../../src/config/json-schema.ts'

/** What a version that knows nothing of Kubernetes does not have; targets, for they match by pods there. */
const LATER = new Set(['kubernetes', 'upload', 'targets'])

/** The configuration for a cluster, without sections that this version does not have. */
export function readKnownConfig(text: string): string {
  const { properties } = JSON.parse(jsonSchemaText()) as { readonly properties: object }
  if ('kubernetes' in properties && 'upload' in properties) return text
  const sections = Object.entries(parse(text) as object).filter(([name]) => !LATER.has(name))
  return stringify(Object.fromEntries(sections))
}
