import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareOwners, compareTypes } from '../../src/analyse/compare.ts'
import type { Owner } from '../../src/model.ts'
import { makeOwner, typeRow } from './make-dump.ts'

const growthOf = (now: readonly Owner[], before: readonly Owner[]): unknown =>
  compareOwners(now, before).map(({ owner, grownBytes }) => [owner.path, grownBytes])

const frame = (line: number, bytes: number): Owner =>
  makeOwner({ kind: 'frame', scope: `thread MainThread: run (app.py:${line})`, path: 'rows', bytes })

const cases: readonly (readonly [string, readonly Owner[], readonly Owner[], unknown])[] = [
  [
    'owners are the same by kind, scope and path',
    [makeOwner({ bytes: 50 }), makeOwner({ scope: 'other', bytes: 60 })],
    [makeOwner({ bytes: 10 })],
    [
      ['CATALOG', 60],
      ['CATALOG', 40],
    ],
  ],
  ['a frame that has gone on to another line is the same', [frame(20, 50)], [frame(10, 30)], [['rows', 20]]],
  [
    'an owner that was reported one level up grew by the difference',
    [makeOwner({ path: 'POOL._dirty', bytes: 50 })],
    [makeOwner({ path: 'POOL', bytes: 10 })],
    [['POOL._dirty', 40]],
  ],
  [
    'owners that were reported one level down are added up',
    [makeOwner({ path: 'APP', bytes: 50 })],
    [makeOwner({ path: 'APP.a', bytes: 10 }), makeOwner({ path: "APP['b']", bytes: 15 })],
    [['APP', 25]],
  ],
  [
    'a name that only begins the same is a stranger',
    [makeOwner({ path: 'POOL_2', bytes: 50 })],
    [makeOwner({ path: 'POOL', bytes: 10 })],
    [['POOL_2', 50]],
  ],
  [
    'what one level up held before is taken off only once',
    [makeOwner({ path: 'APP.a', bytes: 50 }), makeOwner({ path: 'APP.b', bytes: 50 })],
    [makeOwner({ path: 'APP', bytes: 30 })],
    [
      ['APP.b', 50],
      ['APP.a', 20],
    ],
  ],
  ['owners that look the same are added up', [frame(1, 5), frame(2, 6)], [frame(9, 1)], [['rows', 10]]],
]
for (const [rule, now, before, expected] of cases) {
  test(rule, () => assert.deepEqual(growthOf(now, before), expected))
}

test('types are compared by name, those that are gone lost everything', () => {
  const grown = compareTypes(
    [typeRow('str', 5, 60), typeRow('dict', 9, 90)],
    [typeRow('dict', 4, 40), typeRow('list', 1, 10)],
  )
  assert.deepEqual(
    grown.map(({ type, grownCount, grownBytes }) => [type, grownCount, grownBytes]),
    [
      ['str', 5, 60],
      ['dict', 5, 50],
      ['list', -1, -10],
    ],
  )
})
