import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { defaultConfig } from '../../src/config/config.ts'
import type { Config } from '../../src/config/config.ts'
import { jsonSchemaText } from '../../src/config/json-schema.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { checkCron } from './cron.ts'

const directory = new URL('../../config/', import.meta.url)
const shipped = readFileSync(new URL('pyheap-watchd.yaml', directory), 'utf8')
const uncommented = shipped.replaceAll(/^#\| /gm, '')

const configOf = (...texts: readonly string[]): Config => {
  const result = parseConfig(
    texts.map((text, index) => ({ path: `${index}.yaml`, text })),
    { checkCron },
  )
  assert.ok(result.kind === 'config', JSON.stringify(result))
  return result.config
}

test('the shipped config is the defaults', () => {
  assert.deepEqual(configOf(shipped), defaultConfig)
})

test('the examples in the shipped config are valid', () => {
  const config = configOf(uncommented)
  const kinds = new Set(config.decide.rules.map(({ when }) => when.kind))
  assert.deepEqual([...kinds].toSorted(), [
    'age',
    'all',
    'any',
    'cgroup-share',
    'growth',
    'limit',
    'memory-events',
    'pressure',
    'pss',
    'ratchet',
    'rss',
    'schedule',
    'steps',
    'swap',
    'time-to-limit',
    'uss',
  ])
  assert.equal(config.targets.length, 3)
})

test('the shipped config shows every key that there is', () => {
  assert.deepEqual(keysOfValue(parse(uncommented)), keysOfSchema(JSON.parse(jsonSchemaText())))
})

for (const name of readdirSync(new URL('examples/', directory))) {
  const text = readFileSync(new URL(`examples/${name}`, directory), 'utf8')
  test(`examples/${name} is valid alone or as a drop-in, and names a schema that is there`, () => {
    configOf(text)
    configOf(shipped, text)
    const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1] ?? ''
    assert.equal(
      new URL(schema, new URL('examples/', directory)).href,
      new URL('schema.json', directory).href,
    )
  })
}

test('the first line tells editors where the schema is', () => {
  assert.ok(shipped.startsWith('# yaml-language-server: $schema=./schema.json\n'))
})

type Keys = { readonly [key: string]: Keys }

// Maps by their keys; the entries of a list are taken together.
function keysOfValue(value: unknown): Keys {
  if (Array.isArray(value)) return value.map(keysOfValue).reduce(mergeKeys, {})
  if (typeof value !== 'object' || value === null) return {}
  // Labels and tags are called as the operator likes.
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      ['labels', 'tags'].includes(key) || hasSeveral(key) ? {} : keysOfValue(child),
    ]),
  )
}

function keysOfSchema(node: Readonly<Record<string, unknown>>): Keys {
  const parts = [node['items'], ...(Array.isArray(node['anyOf']) ? node['anyOf'] : [])]
  const below = parts.filter((part) => part !== undefined).map(keysOfSchema)
  const own = Object.entries(node['properties'] ?? {}).map(
    ([key, child]) => [key, hasSeveral(key) ? {} : keysOfSchema(child)] as const,
  )
  return below.reduce(mergeKeys, Object.fromEntries(own))
}

/** `all` and `any` hold the conditions that stand beside them, which are shown there. */
const hasSeveral = (key: string): boolean => key === 'all' || key === 'any'

function mergeKeys(a: Keys, b: Keys): Keys {
  const merged: Record<string, Keys> = { ...a }
  for (const [key, child] of Object.entries(b)) merged[key] = mergeKeys(merged[key] ?? {}, child)
  return merged
}
