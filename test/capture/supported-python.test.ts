import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPTIONAL, REQUIRED, type PythonBuild, judgePython } from '../../src/capture/supported-python.ts'

const ordinary: PythonBuild = {
  path: '/usr/bin/python3.12',
  machine: 62,
  version: [3, 12],
  symbols: new Set([...REQUIRED, ...OPTIONAL.filter((name) => name !== '_Py_DecRefShared')]),
}

for (const minor of [8, 9, 10, 11, 12, 13, 14, 15])
  test(`CPython 3.${minor} is captured`, () => {
    assert.deepEqual(judgePython({ ...ordinary, version: [3, minor] }), {
      kind: 'supported',
      major: 3,
      minor,
    })
  })

for (const [what, change, says] of [
  ['2.7', { version: [2, 7] }, /Python 2\.7 is too old/],
  ['3.7', { version: [3, 7] }, /Python 3\.7 is too old/],
  ['3.16', { version: [3, 16] }, /Python 3\.16 is newer than this pyheap-watchd/],
  ['4.0', { version: [4, 0] }, /Python 4\.0 is newer/],
  ['of no known version', { version: undefined }, /cannot tell the version .*\/usr\/bin\/python3\.12/],
  ['of aarch64', { machine: 183 }, /aarch64, whose native code was never tried on a real machine/],
  ['of another machine', { machine: 243 }, /only x86-64/],
  ['that is Pyston', { fork: 'Pyston' }, /Pyston, a fork of CPython/],
  [
    'that is free-threaded',
    { symbols: new Set([...REQUIRED, ...OPTIONAL]) },
    /3\.12 is a free-threaded build/,
  ],
  ['that hides its API', { symbols: new Set(REQUIRED.slice(1)) }, /does not export Py_IsInitialized$/],
] as const)
  test(`a Python ${what} is refused, and why is said`, () => {
    const judged = judgePython({ ...ordinary, ...change })
    assert.ok(judged.kind === 'failed' && judged.reason === 'unsupported-python')
    assert.match(judged.detail, says)
  })
