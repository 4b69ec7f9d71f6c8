import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Profile } from 'pprof-format'
import { foldGraph } from '../../../src/analyse/graph/fold.ts'
import { renderHeapsnapshot } from '../../../src/report/export/heapsnapshot.ts'
import { renderMeliae } from '../../../src/report/export/meliae.ts'
import { renderPprof } from '../../../src/report/export/pprof.ts'
import { makeGraph } from '../../analyse/graph/make-graph.ts'
import { makeCensus, makeDump, makeOwner, MiB, typeRow } from '../../analyse/make-dump.ts'

const graph = makeGraph(
  [
    { type: 'list', bytes: 100, refers: [2, 3, 1] },
    { type: 'shop.Item "x"\\', bytes: 5000, refers: [3] },
    { type: 'str', bytes: 30 },
  ],
  [{ scope: 'shop', path: 'ITEMS', starts: [1] }],
)

type Snapshot = {
  readonly snapshot: { readonly node_count: number; readonly edge_count: number }
  readonly nodes: readonly number[]
  readonly edges: readonly number[]
  readonly strings: readonly string[]
}

const snapshotOf = (nodes: number): Snapshot =>
  JSON.parse([...renderHeapsnapshot(makeDump({}), foldGraph(graph, nodes))].join('')) as Snapshot

test('a heapsnapshot has its roots, every node and every edge', () => {
  const { snapshot, nodes, edges, strings } = snapshotOf(10)
  assert.equal(nodes.length, snapshot.node_count * 6)
  assert.equal(edges.length, snapshot.edge_count * 3)
  assert.equal(new Set(strings).size, strings.length)
  const rows = Array.from({ length: snapshot.node_count }, (_, at) => nodes.slice(at * 6, at * 6 + 6))
  assert.deepEqual(
    rows.map(([type, name = 0, , size]) => [type, strings[name], size]),
    [
      [9, '', 0],
      [9, '(module globals)', 0],
      [9, '(small objects that nobody keeps alone)', 0],
      [3, 'list', 100],
      [3, 'shop.Item "x"\\', 5000],
      [3, 'str', 30],
    ],
  )
  const ids = rows.map(([, , id = 0]) => id)
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.every((id) => Number.isInteger(id) && id > 0 && id < 2 ** 32))
  // Edges are in the order of their nodes, as many as each has.
  assert.equal(
    rows.reduce((sum, [, , , , count = 0]) => sum + count, 0),
    snapshot.edge_count,
  )
  assert.ok(edges.every((to, at) => at % 3 < 2 || (to % 6 === 0 && to < nodes.length)))
  const [, name = 0] = edges.slice(2 * 3)
  assert.equal(strings[name], 'module shop: ITEMS')
})

test('a heapsnapshot of fewer nodes has the same bytes', () => {
  const { nodes } = snapshotOf(1)
  assert.equal(
    nodes.filter((_, at) => at % 6 === 3).reduce((a, b) => a + b, 0),
    5130,
  )
})

test('the ids of objects stay the same from dump to dump', () => {
  const idsOf = (addresses: readonly number[]): readonly number[] => {
    const moved = { ...graph, addresses: Float64Array.from([0, ...addresses]) }
    const text = [...renderHeapsnapshot(makeDump({}), foldGraph(moved, 10))].join('')
    const { nodes } = JSON.parse(text) as Snapshot
    return nodes.filter((_, at) => at % 6 === 2).slice(3)
  }
  const before = idsOf([0x5555_0000_1000, 0x7f00_3000_0010, 0x7f00_3f00_0020])
  // The heap has grown up, mappings have grown down.
  const after = idsOf([0x5555_0000_1000, 0x7f00_2000_0000, 0x7f00_3f00_0020])
  assert.equal(before[0], after[0])
  assert.equal(before[2], after[2])
  assert.notEqual(before[1], after[1])
})

test('meliae gets an object a line, without what the census left out', () => {
  const lines = [...renderMeliae(graph)]
  assert.deepEqual(lines, [
    '{"address": 16, "type": "list", "size": 100, "refs": [32, 48]}\n',
    '{"address": 32, "type": "shop.Item ?x??", "size": 5000, "refs": [48]}\n',
    '{"address": 48, "type": "str", "size": 30, "refs": []}\n',
  ])
})

test('a profile has a stack for each type of an owner, down to where it is', () => {
  const census = makeCensus({
    owners: [
      makeOwner({
        scope: 'shop',
        path: "APP.state['users'].rows",
        objects: 12,
        bytes: 10 * MiB,
        types: [typeRow('User', 7, 6 * MiB), typeRow('str', 4, 3 * MiB)],
      }),
    ],
  })
  const encoded = renderPprof(makeDump({ census }), 'owners')
  assert.ok(encoded)
  const profile = Profile.decode(encoded)
  const text = (index: number | bigint): string => profile.stringTable.strings[Number(index)] ?? ''
  const names = new Map(profile.function.map(({ id, name }) => [Number(id), text(name)]))
  const stacks = profile.sample.map(({ locationId, value }) => [
    ...locationId.map((id) => names.get(Number(id))),
    ...value.map(Number),
  ])
  const way = ["APP.state['users'].rows", "APP.state['users']", 'APP.state', 'APP', 'shop', 'module']
  assert.deepEqual(stacks, [
    ['User', ...way, 7, 6 * MiB],
    ['str', ...way, 4, 3 * MiB],
    ['other types', ...way, 1, MiB],
  ])
  assert.equal(text(profile.sampleType[1]?.type ?? 0), 'inuse_space')
})

test('a profile of allocations has the lines of tracemalloc, and there is none without', () => {
  assert.equal(renderPprof(makeDump({ census: makeCensus({}) }), 'allocations'), undefined)
  const frames = [
    { file: '/srv/api.py', line: 41 },
    { file: '/srv/main.py', line: 7 },
  ]
  const allocations = {
    bytes: 10,
    count: 1,
    frames: 2,
    overheadBytes: 1,
    sites: [{ bytes: 10, count: 1, frames }],
  }
  const encoded = renderPprof(makeDump({ census: makeCensus({ allocations }) }), 'allocations')
  assert.ok(encoded)
  const { sample, function: places, stringTable } = Profile.decode(encoded)
  assert.equal(sample[0]?.locationId.length, 2)
  assert.equal(stringTable.strings[Number(places[0]?.filename)], '/srv/api.py')
  assert.equal(Number(places[0]?.startLine), 41)
})
