import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphDecoder } from '../../src/store/graph/graph-decoder.ts'

const line = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)

function leb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

const kinds = {
  kind: 'graph-kinds',
  kinds: [
    { type: 'list', bytes: 0, walks: 'plain' },
    { type: 'Job', bytes: 48, walks: 'plain' },
  ],
}
const labels = {
  kind: 'graph-labels',
  labels: [{ kind: 'module', scope: 'app', path: 'JOBS', isTop: true, starts: [1] }],
}
const records = (numbers: readonly number[]): Buffer => {
  const bytes = Buffer.from(numbers.flatMap(leb))
  return Buffer.concat([line({ kind: 'records', bytes: bytes.length }), bytes])
}
/** A list at 0x1000 of 300 bytes that refers to object 2 and itself, and a Job at 0x1040 that refers to the list. */
const RECORDS = [0x100, 1, 300, 2, 2, 0, 4, 2, 1, 1]
const whole = (numbers: readonly number[] = RECORDS, objects = 2): Buffer =>
  Buffer.concat([
    line({ kind: 'graph', objects, kinds: 2 }),
    line(kinds),
    line(labels),
    records(numbers),
    line({ kind: 'graph-names', names: [{ kind: 1, places: ['owner'], keys: [] }] }),
    line({ kind: 'graph-end', references: 3 }),
  ])

function decode(bytes: Buffer, pieceBytes = bytes.length) {
  const decoder = new GraphDecoder()
  for (let at = 0; at < bytes.length; at += pieceBytes) decoder.push(bytes.subarray(at, at + pieceBytes))
  return decoder.end()
}

test('a graph is read, however its file is cut', () => {
  for (const pieceBytes of [1, 2, 7, 1000]) {
    const graph = decode(whole(), pieceBytes)
    assert.ok(!('kind' in graph))
    assert.deepEqual([...graph.sizes], [0, 300, 48])
    assert.deepEqual([...graph.addresses], [0, 0x1000, 0x1040])
    assert.deepEqual([...graph.kindOf], [0, 1, 2])
    assert.deepEqual([...graph.first], [0, 0, 2, 3])
    assert.deepEqual([...graph.references], [2, 1, 1])
    assert.deepEqual(graph.labels[0]?.starts, [1])
    assert.deepEqual(graph.names.places.get(2), ['owner'])
  }
})

test('an object that had gone has no size and refers to nothing', () => {
  const graph = decode(whole([0x100, 1, 300, 0, 4, 0]))
  assert.ok(!('kind' in graph))
  assert.deepEqual([...graph.kindOf], [0, 1, 0])
  assert.deepEqual([...graph.first], [0, 0, 0, 0])
})

test('a label with many starts may come in several rows', () => {
  const graph = decode(Buffer.concat([line({ kind: 'graph', objects: 2, kinds: 2 }), line(labels), whole()]))
  assert.deepEqual(graph, { kind: 'bad-graph', detail: '2 objects' })
  const twice = {
    ...labels,
    labels: [...labels.labels, { ...labels.labels[0], starts: [2] }],
  }
  const bytes = Buffer.concat([
    line({ kind: 'graph', objects: 2, kinds: 2 }),
    line(kinds),
    line(twice),
    records(RECORDS),
    line({ kind: 'graph-end', references: 3 }),
  ])
  const merged = decode(bytes)
  assert.ok(!('kind' in merged))
  assert.deepEqual(
    merged.labels.map(({ starts }) => starts),
    [[1, 2]],
  )
})

const hostile: Readonly<Record<string, Buffer>> = {
  'no end': whole().subarray(0, -30),
  'nothing at all': Buffer.alloc(0),
  'a reference behind the last object': whole([0x100, 1, 300, 1, 4, 4, 2, 0]),
  'a reference before the first': whole([0x100, 1, 300, 1, 3, 4, 2, 0]),
  'a type that is not there': whole([0x100, 9, 300, 0, 4, 2, 0]),
  'fewer objects than it says': whole([0x100, 1, 300, 0]),
  'more objects than it says': whole([...RECORDS, 1, 2, 0]),
  'objects without end': whole(RECORDS, 4_000_000_000),
  'a number without end': Buffer.concat([
    line({ kind: 'graph', objects: 1, kinds: 0 }),
    line({ kind: 'records', bytes: 40 }),
    Buffer.alloc(40, 255),
    line({ kind: 'graph-end', references: 0 }),
  ]),
  'a line without end': Buffer.alloc(4_000_000, 65),
  'what is no JSON': Buffer.from('{"kind":\n'),
  'a start that is not there': Buffer.concat([
    line({ kind: 'graph', objects: 0, kinds: 0 }),
    line(labels),
    line({ kind: 'graph-end', references: 0 }),
  ]),
}
for (const [what, bytes] of Object.entries(hostile))
  test(`a graph with ${what} is refused`, () => {
    const graph = decode(bytes)
    assert.ok('kind' in graph, what)
    assert.ok(graph.detail.length > 0 && graph.detail.length < 200)
  })
