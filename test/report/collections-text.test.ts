import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectionLines } from '../../src/report/collections-text.ts'

test('collections are told by generation', () => {
  const collections = [
    { atMs: 1, generation: 2, microseconds: 150_000, unreachable: 0 },
    { atMs: 2, generation: 0, microseconds: 100, unreachable: 4 },
    { atMs: 3, generation: 2, microseconds: 50_000, unreachable: 0 },
  ]
  assert.deepEqual(collectionLines({ kind: 'traced', ms: 5000, collections }), [
    'generation 0: 1 in 5 s, 0.1 ms in all, 0.1 ms the longest; 4 objects were unreachable',
    'generation 2: 2 in 5 s, 200 ms in all, 150 ms the longest; nothing was unreachable',
  ])
})

test('none, and none that could be heard, are told as such', () => {
  assert.deepEqual(collectionLines({ kind: 'traced', ms: 5000, collections: [] }), ['none in 5 s'])
  assert.deepEqual(collectionLines({ kind: 'failed', detail: 'no probes' }), [
    'could not be listened to: no probes',
  ])
})
