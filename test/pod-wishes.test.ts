import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podWishes } from '../src/pod-wishes.ts'

const wishes = (annotations: Readonly<Record<string, string>>, historyMs = 3_600_000) =>
  podWishes(
    {
      id: 'a'.repeat(64),
      runtime: 'containerd',
      pod: 'api',
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [`pyheap-watchd/${key}`, value]),
      ),
    },
    { isOptIn: false, historyMs },
  )

test('thresholds are rules with the defaults of the config', () => {
  const { rules, problems, isWatched } = wishes({ rss: '1.5GiB', limit: '80%', growth: '2MiB/m' })
  assert.deepEqual([problems, isWatched], [[], true])
  const common = {
    targets: ['*'],
    forMs: 10_000,
    cooldownMs: 900_000,
    action: { kind: 'capture', capture: ['census', 'stacks'] },
  }
  assert.deepEqual(rules?.own, [
    {
      ...common,
      name: 'pod-rss',
      when: { kind: 'rss', aboveBytes: 1.5 * 2 ** 30, clearBelowBytes: Math.round(1.35 * 2 ** 30) },
    },
    { ...common, name: 'pod-limit', when: { kind: 'limit', aboveShare: 0.8, clearBelowShare: 0.8 * 0.9 } },
    {
      ...common,
      name: 'pod-growth',
      when: {
        kind: 'growth',
        aboveBytesPerMs: (2 * 2 ** 20) / 60_000,
        clearBelowBytesPerMs: ((2 * 2 ** 20) / 60_000) * 0.9,
        windowMs: 1_800_000,
      },
    },
  ])
  assert.deepEqual(rules.instead, ['rss', 'steps', 'ratchet', 'limit', 'growth'])
})

test('growth is measured over no more than is kept', () => {
  const [rule] = wishes({ growth: '1MiB/m' }, 600_000).rules?.own ?? []
  assert.ok(rule?.when.kind === 'growth')
  assert.equal(rule.when.windowMs, 600_000)
})

for (const [key, value, expected] of [
  ['rss', '1.5', /1\.5 has no unit: write 1\.5MiB, 1\.5GiB/],
  ['rss', '1.5Gi', /"1\.5Gi" is no size: write 1\.5GiB \(1024-based\) or 1\.5GB/],
  ['rss', '0B', /more than zero/],
  ['rss', '', /is no size/],
  ['limit', '0.8', /0\.8 has no unit: write 80%/],
  ['limit', '100%', /at 100% the process is already killed/],
  ['growth', '2MiB', /is no rate: write 1MiB\/m/],
  ['watch', 'no', /^"no" is neither 'true' nor 'false'$/],
  ['rrs', '1GiB', /^is not known: there are watch, rss, limit, growth$/],
  ['__proto__', 'x', /is not known/],
] as const) {
  test(`${key}: ${JSON.stringify(value)} is told and makes no rule`, () => {
    const { rules, problems, isWatched } = wishes({ [key]: value })
    assert.deepEqual([rules, isWatched], [undefined, true])
    assert.equal(problems[0]?.key, `pyheap-watchd/${key}`)
    assert.match(problems[0].detail, expected)
  })
}

test('one that is wrong takes nothing from the others', () => {
  const { rules, problems } = wishes({ rss: 'much', limit: '80%' })
  assert.deepEqual(
    [rules?.own.map(({ name }) => name), rules?.instead, problems.length],
    [['pod-limit'], ['limit'], 1],
  )
})
