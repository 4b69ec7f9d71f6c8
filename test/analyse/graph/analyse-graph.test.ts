import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyseGraph } from '../../../src/analyse/graph/analyse-graph.ts'
import { compareGraphs } from '../../../src/analyse/graph/compare-graphs.ts'
import { nameSteps } from '../../../src/analyse/graph/ways.ts'
import { kindNumber, makeGraph, type Thing } from './make-graph.ts'

const times = (count: number, thing: (at: number) => Thing): readonly Thing[] =>
  Array.from({ length: count }, (_, at) => thing(at))

test('memory that one object keeps is told where it parts', () => {
  // POOL -> its dict -> the list `busy` -> 100 blocks
  const things: readonly Thing[] = [
    { type: 'Pool', refers: [2] },
    { type: 'dict', refers: [3, 4] },
    { type: 'str' },
    { type: 'list', refers: times(100, () => ({ type: '' })).map((_, at) => 5 + at) },
    ...times(100, () => ({ type: 'bytearray', bytes: 1000 })),
  ]
  const bare = makeGraph(things, [{ scope: 'app', path: 'POOL', starts: [1] }])
  const graph = {
    ...bare,
    names: { places: new Map([[kindNumber(bare, 'Pool'), ['']]]), keys: new Map([[3, 'busy']]) },
  }
  const [suspect, ...others] = analyseGraph(graph).suspects
  assert.deepEqual(others, [])
  assert.equal(suspect?.kind, 'object')
  assert.equal(suspect.where, 'module app: POOL.busy')
  assert.equal(suspect.retainedBytes, 100_001)
  assert.deepEqual(suspect.holds[0], { type: 'bytearray', count: 100, bytes: 100_000 })
})

test('what several objects hold together is told with all of them', () => {
  const members = times(50, () => ({ type: 'Session', bytes: 100 }))
  const numbers = members.map((_, at) => 3 + at)
  const graph = makeGraph(
    [{ type: 'list', refers: numbers }, { type: 'set', refers: numbers }, ...members],
    [
      { path: 'BY_USER', starts: [1] },
      { path: 'BY_TIME', starts: [2] },
    ],
  )
  const [suspect] = analyseGraph(graph).suspects
  assert.equal(suspect?.kind, 'group')
  assert.deepEqual([suspect.type, suspect.count, suspect.retainedBytes], ['Session', 50, 5000])
  assert.deepEqual(
    suspect.holders.map(({ where, members: count }) => [where, count]),
    [
      ['module app: BY_USER', 50],
      ['module app: BY_TIME', 50],
    ],
  )
  assert.equal(suspect.where, 'module app: BY_USER[*]')
})

test('a chain is told by its head', () => {
  const links = 20_000
  const graph = makeGraph(
    times(links, (at) => ({ type: 'Node', bytes: 10, refers: at + 1 < links ? [at + 2] : [] })),
    [{ path: 'HEAD', starts: [1] }],
  )
  const [suspect] = analyseGraph(graph).suspects
  assert.deepEqual(
    [suspect?.kind, suspect?.where, suspect?.count, suspect?.retainedBytes],
    ['chain', 'module app: HEAD', links, links * 10],
  )
})

test('a long way is shortened, and repeated steps are counted', () => {
  const graph = makeGraph(
    [...times(500, (at) => ({ type: 'list', refers: [at + 2] })), { type: 'str' }],
    [{ path: 'X', starts: [1] }],
  )
  assert.equal(
    nameSteps(
      graph,
      times(501, () => ({ type: '' })).map((_, at) => at + 1),
    ),
    '[*] ×500 ',
  )
})

test('a start that no other label leads to is a root of its own', () => {
  const graph = makeGraph(
    [{ type: 'list' }, { type: 'Held', bytes: 5000 }],
    [
      { path: 'A', starts: [1] },
      { path: 'B.c', isTop: false, starts: [2] },
    ],
  )
  const findings = analyseGraph(graph)
  assert.equal(findings.reached, 2)
  assert.equal(findings.suspects[0]?.where, 'module app: B.c')
})

test('what grew between two graphs is told by name and by type', () => {
  const graphOf = (count: number) =>
    analyseGraph(
      makeGraph(
        [
          { type: 'list', bytes: 5000, refers: times(count, () => ({ type: '' })).map((_, at) => 3 + at) },
          { type: 'dict', bytes: 9000 },
          ...times(count, () => ({ type: 'Job', bytes: 100 })),
        ],
        [
          { path: 'JOBS', starts: [1] },
          { path: 'CONFIG', starts: [2] },
        ],
      ),
    )
  const growth = compareGraphs(graphOf(10), graphOf(50))
  assert.deepEqual(
    growth.owners.map(({ name, grownBytes }) => [name, grownBytes]),
    [
      ['module app: JOBS', 4000],
      ['module app: CONFIG', 0],
    ],
  )
  assert.deepEqual(growth.types.find(({ type }) => type === 'Job')?.grownBytes, 4000)
})
