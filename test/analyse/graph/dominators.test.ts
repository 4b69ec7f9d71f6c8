import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findDominators } from '../../../src/analyse/graph/dominators.ts'
import { sumKinds, sumRetained } from '../../../src/analyse/graph/retained.ts'
import type { HeapGraph } from '../../../src/model.ts'
import { generator, makeGraph } from './make-graph.ts'

/** What is reached from the roots when one object is not there. */
function reachWithout(
  { first, references }: HeapGraph,
  roots: readonly number[],
  gone: number,
): ReadonlySet<number> {
  const met = new Set<number>()
  const todo = roots.filter((root) => root !== gone)
  for (let object = todo.pop(); object !== undefined; object = todo.pop()) {
    if (met.has(object)) continue
    met.add(object)
    for (let at = first[object] ?? 0; at < (first[object + 1] ?? 0); at++) {
      const to = references[at] ?? 0
      if (to !== gone) todo.push(to)
    }
  }
  return met
}

test('what an object retains is what nothing reaches without it, in random graphs', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = generator(seed)
    const size = 2 + random(30)
    const things = Array.from({ length: size }, () => ({
      type: 'a',
      bytes: 1 + random(9),
      refers: Array.from({ length: random(4) }, () => 1 + random(size)),
    }))
    const graph = makeGraph(things, [])
    const roots = Array.from({ length: 1 + random(3) }, () => 1 + random(size))
    const dominators = findDominators(graph, roots)
    const retained = sumRetained(graph, dominators)
    const all = reachWithout(graph, roots, 0)
    assert.equal(dominators.length - 1, all.size)
    for (const object of all) {
      const left = reachWithout(graph, roots, object)
      const lost = [...all].filter((each) => !left.has(each))
      const expected = lost.reduce((sum, each) => sum + (graph.sizes[each] ?? 0), 0)
      assert.equal(retained[dominators.placeOf[object] ?? 0], expected, `seed ${seed}, object ${object}`)
    }
  }
})

test('a chain of a million links is no matter of depth', () => {
  const links = 1_000_000
  const things = Array.from({ length: links }, (_, at) => ({
    type: 'node',
    refers: at + 1 < links ? [at + 2] : [],
  }))
  const graph = makeGraph(things, [])
  const dominators = findDominators(graph, [1])
  const retained = sumRetained(graph, dominators)
  assert.equal(retained[dominators.placeOf[1] ?? 0], links)
  assert.equal(retained[dominators.placeOf[links] ?? 0], 1)
  // One node inside another counts once.
  assert.deepEqual(sumKinds(graph, dominators, retained), [
    { kind: 1, count: links, bytes: links, retainedBytes: links },
  ])
})
