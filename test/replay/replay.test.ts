import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultConfig } from '../../src/config/config.ts'
import { Replay, type ReplayEvent } from '../../src/decide/replay.ts'
import { SampleEncoder } from '../../src/store/samples/format.ts'
import { readSamples } from '../../src/store/samples/read.ts'
import { CORPUS, observe, type Series } from './series.ts'

const goldenFile = new URL('golden.json', import.meta.url)

type Golden = Readonly<Record<string, { readonly captures: readonly string[]; readonly lead?: string }>>

const clock = (ms: number): string =>
  `${Math.floor(ms / 60_000)}:${String(Math.round((ms % 60_000) / 1000)).padStart(2, '0')}`

/** What the shipped rules make of a series, without the baselines that everybody gets. */
function decisionsOn(series: Series): Golden[string] {
  const replay = new Replay(defaultConfig.decide)
  const events: ReplayEvent[] = [...observe(series)].flatMap((observation) => replay.see(observation))
  const captures = events.flatMap((event) =>
    event.kind === 'capture' && event.request.fired.kind !== 'baseline'
      ? [`${clock(event.atMs)} ${event.request.fired.rule} of ${event.request.process.pid}`]
      : [],
  )
  const kill = events.find((event) => event.kind === 'oom')
  if (kill?.kind !== 'oom') return { captures }
  const last = events.findLast(
    (event) => event.kind === 'capture' && event.request.fired.kind !== 'baseline' && event.atMs <= kill.atMs,
  )
  return { captures, lead: last === undefined ? 'no dump' : clock(kill.atMs - last.atMs) }
}

const now: Golden = Object.fromEntries(CORPUS.map((series) => [series.name, decisionsOn(series)]))
// npm run test:fast -- replay with UPDATE_GOLDEN=1 writes them anew; read the difference before you keep it.
if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(goldenFile, `${JSON.stringify(now, null, 2)}\n`)
const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Golden

for (const { name } of CORPUS)
  test(`the shipped rules on "${name}": as they were`, () => assert.deepEqual(now[name], golden[name]))

test('no false alarm on any service that is well', () => {
  for (const { name, isHealthy } of CORPUS) if (isHealthy) assert.deepEqual(now[name]?.captures, [], name)
})

test('every leak is captured, and every kill has a dump before it', () => {
  for (const { name, isHealthy } of CORPUS) {
    if (isHealthy) continue
    assert.notEqual(now[name]?.captures.length, 0, name)
    assert.notEqual(now[name]?.lead, 'no dump', name)
  }
})

test('recorded and read again a series gives the same decisions, and takes little room', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-replay-'))
  try {
    for (const series of CORPUS.filter(({ name }) => ['fast leak', 'fork storm', 'plateau'].includes(name))) {
      const encoder = new SampleEncoder()
      const file = join(scratch, 'samples.ndjson')
      writeFileSync(file, [...observe(series)].map((observation) => encoder.line(observation)).join(''))
      const direct = new Replay(defaultConfig.decide)
      const before = [...observe(series)].flatMap((observation) => direct.see(observation))
      const replay = new Replay(defaultConfig.decide)
      const after: ReplayEvent[] = []
      for await (const read of readSamples(file)) {
        assert.equal(read.kind, 'observation')
        if (read.kind === 'observation') after.push(...replay.see(read.observation))
      }
      const told = (events: readonly ReplayEvent[]) =>
        events.map((event) => [event.kind, event.atMs, 'request' in event ? event.request.fired : undefined])
      assert.deepEqual(told(after), told(before), series.name)
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
})

test('a file that is no recording is refused at its line', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-replay-'))
  const file = join(scratch, 'samples.ndjson')
  const first = async (text: string): Promise<string> => {
    writeFileSync(file, text)
    for await (const read of readSamples(file))
      if (read.kind === 'malformed') return `${read.line}: ${read.detail}`
    return 'read'
  }
  try {
    assert.equal(await first('{"at":1}\n\n{"at":2}\n'), 'read')
    assert.match(await first('{"at":1}\nnonsense\n'), /^2: is no JSON/)
    assert.match(await first('{"at":5}\n{"at":1}\n'), /^2: at: 1 is before/)
    assert.match(
      await first('{"at":1,"samples":[{"pid":7,"rss":1}]}\n'),
      /^1: samples: process 7 has not appeared/,
    )
    assert.match(await first('{"at":-1}\n'), /^1: at/)
    assert.match(await first('[]\n'), /^1: /)
  } finally {
    rmSync(scratch, { recursive: true })
  }
})
