import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { jsonSchemaText } from '../../src/config/json-schema.ts'
import { configSchema } from '../../src/config/schema.ts'

test('config/schema.json is the schema of the code', () => {
  const stored = readFileSync(new URL('../../config/schema.json', import.meta.url), 'utf8')
  assert.equal(stored, jsonSchemaText())
})

const accepts = new Ajv().compile(JSON.parse(jsonSchemaText()))

const SHAPES: readonly (readonly [accepted: boolean, text: string])[] = [
  [true, '{}'],
  [true, 'store: { dir: /a/b/, keep: { total: 1.5GiB, age: 1h30m, per_target: 3 }, reserve: 0B }'],
  [true, 'sampling: { probe: off, interval: 500ms }'],
  [true, 'baseline: off'],
  [true, 'profiles: [{ kind: parca, url: "https://parca", labels: { env: prod }, token_file: /etc/token }]'],
  [false, 'profiles: [{ kind: parca, url: "parca:7070" }]'],
  [false, 'profiles: [{ kind: jaeger, url: "http://x" }]'],
  [true, 'baseline: { after: 1m }'],
  [true, 'rules: []'],
  [true, 'targets: [{ name: a-1.b_c, match: { user: root } }]'],
  [true, 'rules: [{ name: a, when: { growth: { above: 1MiB/m, window: 5m } }, for: 0s, capture: [stacks] }]'],
  [true, 'rules: [{ name: a, when: { schedule: { cron: x } } }]'],
  [true, 'rules: [{ name: a, when: { time_to_limit: { below: 1m } } }]'],
  [true, 'rules: [{ name: a, when: { rss: { above: 1B } }, action: trace, frames: 50 }]'],
  [false, 'rules: [{ name: a, when: { rss: { above: 1B } }, action: trace, frames: 0 }]'],
  [false, 'rules: [{ name: a, when: { rss: { above: 1B } }, action: trace, frames: 1.5 }]'],
  [false, 'rules: [{ name: a, when: { rss: { above: 1B } }, action: dance }]'],
  [true, 'log: { level: trace }'],
  [true, 'capture: { max_copy: 2GiB, memory_limit: 1GiB, quarantine: 0s, allow_inline: true }'],
  [true, 'capture: { max_copy: 80% }'],
  [false, '[]'],
  [false, 'capture: { max_copy: 0% }'],
  [false, 'capture: { max_copy: 2 }'],
  [false, 'capture: { memory_limit: 50% }'],
  [false, 'capture: { allow_inline: sometimes }'],
  [false, 'x: 1'],
  [false, 'store: { dir: a }'],
  [false, 'store: { dir: / }'],
  [false, 'store: { dir: "/a\\nb" }'],
  [false, 'store: { keep: { total: 5 } }'],
  [false, 'store: { keep: { total: 0GiB } }'],
  [false, 'store: { keep: { total: 5G } }'],
  [false, 'store: { keep: { per_target: 0 } }'],
  [false, 'store: { keep: { per_target: 1.5 } }'],
  [false, 'store: null'],
  [false, 'sampling: { probe: yes please }'],
  [false, 'sampling: { interval: 0s }'],
  [false, 'sampling: { interval: 1 s }'],
  [false, 'baseline: on'],
  [false, 'baseline: { before: 1m }'],
  [false, 'targets: []'],
  [false, 'targets: [{ name: a, match: {} }]'],
  [false, 'targets: [{ name: a }]'],
  [false, 'targets: [{ name: manual, match: { user: a } }]'],
  [false, 'targets: [{ name: a.partial, match: { user: a } }]'],
  [false, 'targets: [{ name: .a, match: { user: a } }]'],
  [false, `targets: [{ name: ${'a'.repeat(65)}, match: { user: a } }]`],
  [false, 'targets: [{ name: a, match: { user: "" } }]'],
  [false, 'rules: [{ name: baseline, when: { rss: { above: 1B } } }]'],
  [false, 'rules: [{ name: a }]'],
  [false, 'rules: [{ name: a, when: {} }]'],
  [false, 'rules: [{ name: a, when: { rss: { above: 1B }, limit: { above: 1% } } }]'],
  [false, 'rules: [{ name: a, when: { rss: { above: 75% } } }]'],
  [false, 'rules: [{ name: a, when: { limit: { above: 0.75 } } }]'],
  [false, 'rules: [{ name: a, when: { rss: { above: 1B } }, capture: [] }]'],
  [false, 'rules: [{ name: a, when: { rss: { above: 1B } }, capture: [everything] }]'],
  [false, `rules: [{ name: a, targets: [${'x, '.repeat(201)}], when: { rss: { above: 1B } } }]`],
  [false, 'log: { level: loud }'],
]

for (const [accepted, text] of SHAPES) {
  test(`editor and daemon ${accepted ? 'accept' : 'refuse'} ${text.slice(0, 90)}`, () => {
    const value: unknown = parse(text)
    assert.deepEqual([accepts(value), configSchema.safeParse(value).success], [accepted, accepted])
  })
}

test('every key is described', () => {
  const missing: string[] = []
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties' && typeof value === 'object' && value !== null) {
        for (const [name, property] of Object.entries(value)) {
          if (!('description' in (property as object))) missing.push(`${path}/${name}`)
        }
      }
      visit(value, `${path}/${key}`)
    }
  }
  visit(JSON.parse(jsonSchemaText()), '')
  assert.deepEqual(missing, [])
})
