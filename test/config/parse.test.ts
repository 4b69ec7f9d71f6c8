import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from '../../src/config/config.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { Condition } from '../../src/model.ts'
import { checkCron } from './cron.ts'

const parse = (...texts: readonly string[]) =>
  parseConfig(
    texts.map((text, index) => ({ path: `${index}.yaml`, text })),
    { checkCron },
  )

const configOf = (...texts: readonly string[]): Config => {
  const result = parse(...texts)
  assert.ok(result.kind === 'config', JSON.stringify(result))
  return result.config
}

for (const text of ['', '# nothing\n', '---\n...\n', 'store: {}\n', '\uFEFFsampling: {}\n']) {
  test(`${JSON.stringify(text)} is the default config`, () => {
    assert.deepEqual(configOf(text), defaultConfig)
  })
}

test('units are taken away and defaults filled in', () => {
  const config = configOf('store: { keep: { total: 1KiB, age: 2d } }\nbaseline: off\nlog: { level: warn }\n')
  assert.deepEqual(config, {
    ...defaultConfig,
    store: { ...defaultConfig.store, keepTotalBytes: 1024, keepAgeMs: 2 * 86_400_000 },
    decide: { ...defaultConfig.decide, baselineAfterMs: undefined },
    logLevel: 'warn',
  })
})

const CONDITIONS: readonly (readonly [string, Condition])[] = [
  ['rss: { above: 1000B }', { kind: 'rss', aboveBytes: 1000, clearBelowBytes: 900 }],
  ['rss: { above: 1000B, clear_below: 10B }', { kind: 'rss', aboveBytes: 1000, clearBelowBytes: 10 }],
  ['limit: { above: 80% }', { kind: 'limit', aboveShare: 0.8, clearBelowShare: 0.8 * 0.9 }],
  [
    'growth: { above: 60KB/m, window: 10m }',
    { kind: 'growth', aboveBytesPerMs: 1, clearBelowBytesPerMs: 0.9, windowMs: 600_000 },
  ],
  [
    'time_to_limit: { below: 100s }',
    { kind: 'time-to-limit', belowMs: 100_000, clearAboveMs: 110_000, windowMs: 300_000 },
  ],
  [
    "schedule: { cron: '0 3 * * *', timezone: UTC }",
    { kind: 'schedule', cron: '0 3 * * *', timezone: 'UTC' },
  ],
]

for (const [text, condition] of CONDITIONS) {
  test(`${text} becomes a condition`, () => {
    const [rule] = configOf(`rules: [{ name: r, when: { ${text} } }]`).decide.rules
    assert.deepEqual(rule, {
      name: 'r',
      targets: ['*'],
      when: condition,
      forMs: condition.kind === 'schedule' ? 0 : 10_000,
      cooldownMs: 900_000,
      action: { kind: 'capture', capture: ['census', 'stacks'] },
    })
  })
}

for (const [text, frames] of [
  ['action: trace', 5],
  ['action: trace, frames: 20', 20],
] as const)
  test(`${text} is a trace of ${frames} frames`, () => {
    const [rule] = configOf(`rules: [{ name: r, when: { rss: { above: 1B } }, ${text} }]`).decide.rules
    assert.deepEqual(rule?.action, { kind: 'trace', frames })
  })

test('a YAML 1.1 line does not turn on and off into booleans', () => {
  const config = configOf('%YAML 1.1\n---\nsampling: { probe: off }\nbaseline: off\n')
  assert.equal(config.sampling.probe, 'off')
  assert.equal(config.decide.baselineAfterMs, undefined)
})

test('anchors can be used', () => {
  const text = 'limits: { per_process: &q { max: 5 }, per_target: *q }'
  assert.deepEqual(configOf(text).decide.perTarget, { max: 5, windowMs: 86_400_000 })
})

const A = '- { name: a, match: { user: a } }'

test('a drop-in is merged over the main file: maps key by key, targets and rules by name', () => {
  const config = configOf(
    `store: { dir: /a, keep: { age: 1d } }\ntargets:\n${A}\n- { name: b, match: { user: b } }\n` +
      'rules: [{ name: r, for: 1s, when: { rss: { above: 1GiB } } }]\n',
    'store: { keep: { age: 2d } }\ntargets:\n- { name: c, match: { user: c } }\n- { name: a, match: { exe: x } }\n',
    'rules: [{ name: r, when: { rss: { above: 2GiB } } }]',
  )
  assert.equal(config.store.dir, '/a')
  assert.equal(config.store.keepAgeMs, 2 * 86_400_000)
  assert.deepEqual(config.targets, [
    { name: 'a', match: { exe: 'x' } },
    { name: 'b', match: { user: 'b' } },
    { name: 'c', match: { user: 'c' } },
  ])
  assert.deepEqual(
    config.decide.rules.map(({ name, forMs }) => [name, forMs]),
    [['r', 10_000]],
  )
})

test('a target that takes every process is tried last, wherever it stands', () => {
  const config = configOf("targets:\n- { name: all, match: { cmdline: '.' } }\n", `targets:\n${A}\n`)
  assert.deepEqual(
    config.targets.map(({ name }) => name),
    ['a', 'all'],
  )
})
