import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEBUG_OFFSETS_BYTES, parseDebugOffsets } from '../../src/capture/debug-offsets.ts'

/** The table of CPython 3.14.10 as Debian builds it, as far as it is used. */
function table(changes: Readonly<Record<number, bigint>> = {}): Buffer {
  const bytes = Buffer.alloc(DEBUG_OFFSETS_BYTES)
  bytes.write('xdebugpy', 'latin1')
  const words = {
    1: 0x030e0af0n,
    2: 0n,
    5: 808n,
    10: 7344n,
    89: 24n,
    90: 520n,
    91: 8n,
    92: 0n,
    93: 4n,
    94: 512n,
  }
  for (const [index, value] of Object.entries({ ...words, ...changes }))
    bytes.writeBigUInt64LE(value, 8 * Number(index))
  return bytes
}

test('the interface of 3.14 is found by its table', () => {
  const offsets = parseDebugOffsets(table())
  assert.deepEqual(offsets, {
    kind: 'offsets',
    interpretersHead: 808,
    mainThread: 7344,
    evalBreaker: 24,
    support: 520,
    enabled: 8,
    pending: 0,
    path: 4,
    pathBytes: 512,
  })
})

for (const [what, changes] of [
  ['another version, whose layout is not known', { 1: 0x030f0000n }],
  ['a free-threaded build', { 2: 1n }],
  ['a path of another length', { 94: 256n }],
  ['an offset that cannot be', { 10: 1n << 40n }],
] as const)
  test(`${what} is left alone`, () => {
    assert.equal(parseDebugOffsets(table(changes)), undefined)
  })

test('what has no cookie is no table', () => {
  assert.equal(parseDebugOffsets(Buffer.alloc(DEBUG_OFFSETS_BYTES)), undefined)
})
