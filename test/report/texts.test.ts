import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dump, Findings } from '../../src/model.ts'
import { renderDiff } from '../../src/report/diff-text.ts'
import { plainStyle } from '../../src/report/layout.ts'
import { renderList } from '../../src/report/list-text.ts'
import type { SiteGrowth } from '../../src/model.ts'
import { explainFired } from '../../src/report/dump-facts.ts'
import { renderShow } from '../../src/report/show-text.ts'
import { renderVerdict } from '../../src/report/verdict-text.ts'
import { widthOf } from '../../src/report/visible.ts'
import { dump, findings } from './make-report.ts'

test('the verdict is the headline and who is suspected, with the reasons', () => {
  assert.equal(
    renderVerdict(findings),
    [
      'RSS 1.42 GiB, +1.31 GiB since baseline 20 min ago; Python objects explain 96 %',
      'of the growth. module shop.broker: POOL._dirty (set, 1,200 entries of',
      'Connection) keeps 768 MiB.',
      '',
      '1. module shop.broker: POOL._dirty (set, 1,200 entries of Connection) keeps 768',
      '   MiB (+760 MiB)',
      '   - 58 % of the growth',
      '   - confidence: high',
      '',
    ].join('\n'),
  )
})

test('show begins with the verdict and goes on with everything else', () => {
  const text = renderShow(dump, findings, plainStyle)
  assert.ok(text.startsWith(renderVerdict(findings)))
  const parts = [
    'api-1.service',
    'rule rss-high: rss 1.42 GiB, threshold 1 GiB, also slow-leak',
    '1.5 GiB of 2 GiB (cgroup /system.slice/api)',
    'the service stood still for 31 ms; pending-call, attempt 1',
    'arm 120 ms, census 4.2 s',
    'Types, by growth',
    '+700 MiB',
    'module shop.broker POOL._dirty',
    'bytearray',
    'handle  /srv/api.py:41',
    'DISABLED',
  ]
  for (const part of parts) assert.ok(text.includes(part), part)
})

test('the container of a dump is told by its names, of an older one by its id', () => {
  const { manifest } = dump
  const shown = (process: Partial<Dump['manifest']['process']>): string =>
    renderShow(
      { ...dump, manifest: { ...manifest, process: { ...manifest.process, ...process } } },
      findings,
      { ...plainStyle, width: 200 },
    ).replaceAll(/ +/g, ' ')
  const container_id = 'a1'.repeat(32)
  assert.match(shown({ container_id }), /container a1a1a1a1a1a1\n/)
  const text = shown({
    inside_pid: 17,
    container_id,
    container: { runtime: 'containerd', namespace: 'shop', pod: 'api-1', name: 'web', image: 'shop/api:1.2' },
  })
  assert.match(text, /api, pid 4242, 17 inside, user www/)
  assert.match(text, /container shop\/api-1\/web \(containerd a1a1a1a1a1a1\), image shop\/api:1\.2\n/)
})

test('without a baseline types come with their cumulative share', () => {
  const { baseline: _, ...alone } = findings
  const text = renderShow(dump, alone, plainStyle)
  assert.match(text, /count +bytes +% +cumul +type/)
  assert.doesNotMatch(text, /\+700 MiB/)
})

const sites: readonly SiteGrowth[] = [
  {
    bytes: 700 * 2 ** 20,
    count: 1100,
    grownBytes: 650 * 2 ** 20,
    grownCount: 1000,
    frames: [
      { file: '/srv/shop/app/cache.py', line: 41 },
      { file: '/srv/shop/app/views.py', line: 7 },
    ],
  },
]

test('where tracemalloc runs, show tells the lines that allocated, and who called the first', () => {
  const allocations = { bytes: 2 ** 30, count: 5000, frames: 5, overheadBytes: 3 * 2 ** 20, sites }
  const tracing = { ...dump, ...(dump.census && { census: { ...dump.census, allocations } }) }
  const text = renderShow(tracing, { ...findings, allocated: sites }, plainStyle)
  assert.match(text, /^Allocated at \(tracemalloc, since it runs\)$/m)
  assert.match(text, /1,100 +700 MiB +68 % +\+1,000 +\+650 MiB +app\/cache\.py:41$/m)
  assert.match(text, /called from app\/views\.py:7/)
  assert.match(text, /tracemalloc itself takes 3 MiB/)
  assert.doesNotMatch(renderShow(dump, findings, plainStyle), /Allocated at/)
})

test('a dump without a census says why and leaves its tables out', () => {
  const failure = { reason: 'not-permitted', detail: 'ptrace is not allowed' } as const
  const outside: Dump = { ...dump, census: undefined, manifest: { ...dump.manifest, failure } }
  const text = renderShow(outside, { ...findings, suspects: [], types: [] }, plainStyle)
  assert.match(text, /failed +not-permitted: ptrace is not allowed/)
  assert.doesNotMatch(text, /Garbage collector/)
})

test('why a rule fired is told in the units of its condition', () => {
  const told = [
    explainFired({ rule: 'a', kind: 'limit', value: 0.81, threshold: 0.75 }),
    explainFired({ rule: 'b', kind: 'growth', value: 2 ** 20 / 60_000, threshold: 2 ** 19 / 60_000 }),
    explainFired({ rule: 'c', kind: 'time-to-limit', value: 90_000, threshold: 120_000 }),
    explainFired({ rule: 'd', kind: 'manual' }),
  ]
  assert.deepEqual(told, [
    'rule a: limit 81 %, threshold 75 %',
    'rule b: growth 1 MiB/min, threshold 512 KiB/min',
    'rule c: time-to-limit 90 s, threshold 2 min',
    'asked for by hand',
  ])
})

test('a list shows dumps by target, each on one line', () => {
  const listed = [
    { id: dump.id, manifest: dump.manifest, headline: findings.headline },
    { id: 'web/20261121T122000Z-1-x', manifest: { ...dump.manifest, rule: 'x' } },
  ]
  assert.equal(
    renderList(listed, plainStyle),
    [
      'api',
      'dump                                     RSS  says',
      'api/20261121T122000Z-4242-rss-high  1.42 GiB  +1.31 GiB since baseline 20 min a…',
      '',
      'web',
      'dump                           RSS  says',
      'web/20261121T122000Z-1-x  1.42 GiB',
      '',
    ].join('\n'),
  )
  assert.equal(renderList([], plainStyle), 'no dumps\n')
})

test('a difference shows both sides, the change, and whether they are the same process', () => {
  const before: Dump = { ...dump, id: 'api/before', manifest: { ...dump.manifest, rss_bytes: 2 ** 30 } }
  const text = renderDiff(before, dump, findings, plainStyle)
  assert.match(text, /RSS +1 GiB +1\.42 GiB +\+430 MiB/)
  assert.match(text, /\+1,100 +\+700 MiB +1,200 +760 MiB +array\.array/)
  assert.doesNotMatch(text, /different processes/)
  const other = { ...before, manifest: { ...before.manifest, process: { ...dump.manifest.process, pid: 1 } } }
  assert.match(renderDiff(other, dump, findings, plainStyle), /different processes/)
})

const inRed = (text: string): string => `<red>${text}</red>`
const inGreen = (text: string): string => `<green>${text}</green>`

test('growth is red and shrinking is green', () => {
  const palette = { ...plainStyle.palette, red: inRed, green: inGreen }
  const text = renderDiff(dump, dump, findings, { palette, width: 200 })
  assert.match(text, /<red>\+700 MiB<\/red>/)
  assert.match(text, /<green>-1 KiB<\/green>/)
})

test('hostile names move no cursor and break no line, and every line fits 80 columns', () => {
  const evil = `\u001b]0;pwned\u0007\u001b[2J\r\n\u202e${'A'.repeat(3000)}中文`
  const hostile = JSON.parse(
    JSON.stringify([dump, findings], (key, value: unknown) => (isName(key, value) ? evil : value)),
  ) as [Dump, Findings]
  const [evilDump, evilFindings] = hostile
  const texts = [
    renderShow(evilDump, evilFindings, plainStyle),
    renderDiff(evilDump, dump, evilFindings, plainStyle),
    renderList([{ id: `${evil}/x`, manifest: evilDump.manifest, headline: evil }], plainStyle),
    renderShow(dump, findings, plainStyle),
  ]
  for (const text of texts) {
    assert.doesNotMatch(text, /[^\n\P{C}]/u)
    for (const line of text.split('\n')) assert.ok(widthOf(line) <= 80, line)
  }
})

const closed = new Set([
  'kind',
  'confidence',
  'source',
  'verdict',
  'outcome',
  'method',
  'reason',
  'started_at',
])
const isName = (key: string, value: unknown): boolean => typeof value === 'string' && !closed.has(key)

test('the history of RSS is a line of bars, whose highest is told', () => {
  const history = Array.from({ length: 100 }, (_, at) => ({
    secondsAgo: 99 - at,
    rssBytes: (at < 50 ? 100 : 200) * 2 ** 20,
  }))
  const lines = renderShow({ ...dump, outside: { ...dump.outside, history } }, findings, plainStyle)
  assert.match(lines, /^ {2}RSS {8}▅{20}█{20} 99 s, up to 200 MiB$/m)
  assert.doesNotMatch(renderShow(dump, findings, plainStyle), /▅/)
})
