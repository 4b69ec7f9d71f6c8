import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprintOf } from '../../src/analyse/fingerprint.ts'
import type { Suspect } from '../../src/model.ts'

const suspect = (given: Partial<Suspect> = {}): Suspect => ({
  kind: 'owner',
  title: 'module app.cache: SESSIONS (dict, 2,104,882 entries of Session) keeps 1.4 GiB',
  bytes: 1.4e9,
  evidence: [],
  confidence: 'high',
  owner: { kind: 'module', scope: 'app.cache', path: 'SESSIONS' },
  type: 'app.Session',
  ...given,
})
const thread = (id: number): Suspect =>
  suspect({ owner: { kind: 'frame', scope: `thread worker-${id}: run (app.py:${id})`, path: 'rows' } })
const native = (size: string): Suspect =>
  suspect({ kind: 'malloc', owner: undefined, type: undefined, title: `native memory, ${size} in malloc` })

for (const [what, one, other] of [
  [
    'of other sizes',
    suspect(),
    suspect({ bytes: 3, title: 'module app.cache: SESSIONS (dict, 2 entries) keeps 3 B' }),
  ],
  ['in other threads and lines', thread(3), thread(17)],
  ['of native memory of other sizes', native('1.4 GiB'), native('310 MiB')],
] as const)
  test(`the same leak has the same fingerprint: ${what}`, () => {
    assert.match(fingerprintOf([one]) ?? '', /^[\da-f]{12}$/)
    assert.equal(fingerprintOf([one]), fingerprintOf([other, suspect({ owner: undefined })]))
  })

for (const [what, other] of [
  ['another name', suspect({ owner: { kind: 'module', scope: 'app.cache', path: 'USERS' } })],
  ['another module', suspect({ owner: { kind: 'module', scope: 'app.pool', path: 'SESSIONS' } })],
  ['another type', suspect({ type: 'bytes' })],
  ['another kind', suspect({ kind: 'unreachable' })],
  ['native memory', native('1.4 GiB')],
] as const)
  test(`${what} is another leak`, () => assert.notEqual(fingerprintOf([suspect()]), fingerprintOf([other])))

test('where nobody is suspected there is none', () => assert.equal(fingerprintOf([]), undefined))
