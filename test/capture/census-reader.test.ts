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

const traced = runtime.replace('"tracemalloc":false', '"tracemalloc":true')
const site = { bytes: 9, count: 1, frames: [{ file: '/srv/app.py', line: 3 }] }
const pools = '{"kind":"pools","count":2,"bytes":32768,"usedBytes":1024}\n'
const allocated = (problem: string | null): string =>
  `${JSON.stringify({ kind: 'allocated', bytes: 9, count: 1, frames: 5, overheadBytes: 1, sites: [site], problem })}\n`

test('where tracemalloc runs, allocation sites follow the census, which stands without them', () => {
  const reader = new CensusReader(['census'])
  reader.push(hello + traced + types + end)
  assert.deepEqual([reader.hasEnded, reader.hasSaidAll], [true, false])
  assert.equal(reader.census()?.complete, true)
  assert.match(reader.census()?.problems.join() ?? '', /allocation sites: cut off/)
  reader.push(allocated(null))
  assert.equal(reader.hasSaidAll, false)
  reader.push(pools)
  assert.equal(reader.hasSaidAll, true)
  assert.deepEqual(reader.census()?.problems, [])
  assert.deepEqual(reader.census()?.allocations, {
    bytes: 9,
    count: 1,
    frames: 5,
    overheadBytes: 1,
    sites: [site],
  })
})

test('allocation sites that could not be told leave the reason', () => {
  const reader = new CensusReader(['census'])
  reader.push(hello + traced + types + end + allocated('too many'))
  assert.equal(reader.census()?.allocations, undefined)
  assert.deepEqual(reader.census()?.problems, ['allocation sites: too many'])
})

test('nothing is waited for where tracemalloc does not run, or no census was asked for', () => {
  for (const [kinds, facts] of [
    ['census', runtime],
    ['stacks', traced],
  ] as const) {
    const reader = new CensusReader([kinds])
    reader.push(hello + facts + types + end + (kinds === 'census' ? pools : ''))
    assert.equal(reader.hasSaidAll, true)
  }
})

for (const [what, text] of [
  [
    'more sites than there may be',
    allocated(null).replace(
      /"sites":\[(.*)\],"problem/,
      (_, one: string) => `"sites":[${Array(101).fill(one).join()}],"problem`,
    ),
  ],
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
