import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runLeak } from './run-leak.ts'
import { judgeVerdict, readCorpus } from './truth.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const corpus = readCorpus(new URL('corpus', import.meta.url).pathname)

/** One of each kind; `npm run leaks` runs them all. */
const SLICE = ['v01', 'v18', 'v22', 'v24']

test('leaks of every kind are named, and a cache that has filled is not', { skip }, async () => {
  const leaks = corpus.filter(({ truth }) => SLICE.some((name) => truth.id.startsWith(name)))
  const settings = { python: '/usr/bin/python3', rateMb: 50, limitMb: 150 }
  const results = await Promise.all(leaks.map((leak) => runLeak(leak, settings)))
  assert.equal(results.length, SLICE.length)
  for (const { leak, verdict, wrong } of results) assert.deepEqual(wrong, [], `${leak.truth.id}: ${verdict}`)
})

test('a verdict is held against the holder, the type and the innocent', () => {
  const [{ truth } = assert.fail('the corpus is empty')] = corpus
  const all = { ...truth, innocent_patterns: ['(?i)\\bcatalog\\b'] }
  assert.deepEqual(judgeVerdict(all, 'module shop.broker: POOL._dirty keeps 150 MiB of array.array'), [])
  assert.deepEqual(judgeVerdict(all, 'module shop.catalog: CATALOG'), [
    'does not name the holder',
    'does not name the type',
    'accuses the innocent (?i)\\bcatalog\\b',
  ])
})
