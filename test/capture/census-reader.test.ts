import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CensusReader } from '../../src/capture/census-reader.ts'

const hello = '{"kind":"hello","format":1}\n'
const end = '{"kind":"end","problems":[]}\n'
const types = '{"kind":"types","objects":3,"bytes":30,"types":[{"type":"str","count":3,"bytes":30}]}\n'
const runtime = `${JSON.stringify({
  kind: 'runtime',
  python: {
    version: '3.11.2',
    implementation: 'CPython',
    executable: '',
    argv: [],
    moduleCount: 1,
    packages: [],
    extensions: [],
    threads: 1,
    tracemalloc: false,
  },
  gc: { enabled: true, counts: [], thresholds: [], frozen: 0, collected: 0, uncollectable: 0, garbage: 0 },
  allocatedBlocks: 5,
})}\n`

test('a census comes in pieces that are cut anywhere', () => {
  const reader = new CensusReader(['census'])
  for (const character of hello + runtime + types + end) reader.push(character)
  assert.equal(reader.fault, undefined)
  const census = reader.census()
  assert.equal(census?.complete, true)
  assert.equal(census.objects, 3)
})

test('a payload that ends without what it was asked for is not complete', () => {
  const reader = new CensusReader(['census', 'stacks'])
  reader.push(hello + runtime + types + end)
  assert.equal(reader.census()?.complete, false)
})

test('a census that is cut off keeps the quick table', () => {
  const reader = new CensusReader(['census'])
  reader.push(
    `${hello}${runtime}{"kind":"tracked","types":[{"type":"dict","count":9,"bytes":0}]}\n{"kind":"ty`,
  )
  assert.deepEqual(reader.census()?.types, [{ type: 'dict', count: 9, bytes: 0 }])
  assert.equal(reader.census()?.complete, false)
})

for (const [what, text] of [
  ['rubbish', 'rubbish\n'],
  ['another format', '{"kind":"hello","format":2}\n'],
  ['negative counts', '{"kind":"types","objects":-1,"bytes":0,"types":[]}\n'],
  ['a line without end', 'x'.repeat(1024 * 1024 + 1)],
  [
    'a type name of a megabyte',
    `{"kind":"tracked","types":[{"type":"${'x'.repeat(1e6)}","count":1,"bytes":0}]}\n`,
  ],
  ['an error', '{"kind":"error","error":"MemoryError at walk.py:7"}\n'],
] as const)
  test(`${what} from a snapshot is a fault, not a census`, () => {
    const reader = new CensusReader(['census'])
    reader.push(text)
    assert.notEqual(reader.fault, undefined)
    assert.equal(reader.census(), undefined)
  })

test('endless lines that make sense are a fault soon, at little cost', () => {
  const reader = new CensusReader(['census'])
  for (let n = 0; n < 20 && reader.fault === undefined; n++) reader.push(hello.repeat(1000))
  assert.match(reader.fault ?? '', /lines/)
})
