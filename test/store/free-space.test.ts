import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFreeSpace, judgeFreeSpace } from '../../src/store/free-space.ts'

const mib = 2 ** 20
const disk = { bavail: 100, bsize: mib, files: 1000, ffree: 500 }

test('what fits beside the reserve is enough, to the byte', () => {
  const need = { estimateBytes: 60 * mib, reserveBytes: 40 * mib }
  assert.deepEqual(judgeFreeSpace('/d', disk, need), { kind: 'enough', freeBytes: 100 * mib })
})

test('a byte more is refused, with the numbers', () => {
  const refused = judgeFreeSpace('/d', disk, { estimateBytes: 60 * mib + 1, reserveBytes: 40 * mib })
  assert.equal(refused.kind === 'failed' && refused.reason, 'no-space')
  assert.match(refused.kind === 'failed' ? refused.detail : '', /100 MiB free.*101 MiB.*61 MiB.*40 MiB/)
})

test('no inodes left is no space, but a file system without a count of them is not', () => {
  const need = { estimateBytes: 1, reserveBytes: 1 }
  assert.equal(judgeFreeSpace('/d', { ...disk, ffree: 0 }, need).kind, 'failed')
  assert.equal(judgeFreeSpace('/d', { ...disk, files: 0, ffree: 0 }, need).kind, 'enough')
})

test('a real directory is asked, a missing one is missing', async () => {
  assert.equal((await checkFreeSpace('/', { estimateBytes: 0, reserveBytes: 0 })).kind, 'enough')
  const missing = await checkFreeSpace('/nowhere/at/all', { estimateBytes: 0, reserveBytes: 0 })
  assert.equal(missing.kind === 'failed' && missing.reason, 'missing')
})
