import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findDominators } from '../../../src/analyse/graph/dominators.ts'
import { foldGraph } from '../../../src/analyse/graph/fold.ts'
import { sumRetained } from '../../../src/analyse/graph/retained.ts'
import { findRoots } from '../../../src/analyse/graph/ways.ts'
import type { FoldedGraph } from '../../../src/model.ts'
import { generator, makeGraph } from './make-graph.ts'

const rows = ({ first, to, nameOf, names }: FoldedGraph, node: number): readonly string[] =>
  [...to.subarray(first[node], first[node + 1])].map(
    (target, at) => `${names[nameOf[(first[node] ?? 0) + at] ?? 0]} ${target}`,
  )

test('what is folded counts for who dominates it, and its references become that one’s', () => {
  // 1 list -> 2 Small -> 3 Big; 4 loose str that two lists share
  const graph = makeGraph(
    [
      { type: 'list', bytes: 100, refers: [2, 4] },
      { type: 'Small', bytes: 5, refers: [3] },
      { type: 'Big', bytes: 1000 },
      { type: 'str', bytes: 7 },
      { type: 'list', bytes: 50, refers: [4] },
    ],
    [
      { path: 'A', starts: [1] },
      { path: 'B', starts: [5] },
    ],
  )
  const folded = foldGraph(graph, 3)
  assert.deepEqual([...folded.objects], [0, 1, 3, 5])
  assert.deepEqual([...folded.selfBytes], [0, 105, 1000, 50])
  assert.equal(folded.looseBytes, 7)
  assert.deepEqual(rows(folded, 1), ['(inside) 2'])
  assert.deepEqual(
    folded.roots.map(({ name, node }) => `${name} ${node}`),
    ['module app: A 1', 'module app: B 3'],
  )
  const all = foldGraph(graph, 10)
  assert.deepEqual([...all.selfBytes], [0, 100, 5, 1000, 7, 50])
  assert.deepEqual(rows(all, 1), ['[*] 2', '[*] 4'])
})

test('however much is folded, every byte is somewhere, and every node is reached', () => {
  const random = generator(7)
  for (let round = 0; round < 100; round++) {
    const size = 5 + random(60)
    const things = Array.from({ length: size }, () => ({
      type: `T${random(4)}`,
      bytes: 1 + random(50),
      refers: Array.from({ length: random(4) }, () => 1 + random(size)),
    }))
    const graph = makeGraph(things, [
      { path: 'A', starts: [1 + random(size)] },
      { path: 'B', starts: [1 + random(size)] },
    ])
    const dominators = findDominators(graph, findRoots(graph))
    const total = sumRetained(graph, dominators)[0] ?? 0
    const folded = foldGraph(graph, 1 + random(size))
    const sum = folded.selfBytes.reduce((a, b) => a + b, folded.looseBytes)
    assert.equal(sum, total, `round ${round}`)
    const met = new Set<number>([0])
    const todo = [0, ...folded.roots.map(({ node }) => node)]
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      met.add(node)
      for (const to of folded.to.subarray(folded.first[node], folded.first[node + 1]))
        if (!met.has(to)) todo.push(to)
    }
    assert.equal(met.size, folded.objects.length, `round ${round}`)
  }
})
