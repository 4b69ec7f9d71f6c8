import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { execaSync } from 'execa'
import type { Census } from '../../src/model.ts'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { startTarget } from '../setup/service.ts'

const systemPython = '/usr/bin/python3'
const isRoot = process.getuid?.() === 0
/** These bring 650 MB along, so CI does without. */
const skipWithout = (module: string, packageName: string): string | false => {
  if (!isRoot) return 'needs root, to trace processes'
  const { exitCode } = execaSync(systemPython, ['-c', `import ${module}`], { reject: false })
  return exitCode === 0 ? false : `: optional: needs ${packageName}`
}
const withoutTorch = skipWithout('torch', 'python3-torch')
const withoutPil = skipWithout('PIL', 'python3-pil')

let census: Census | undefined
before(async () => {
  if (withoutTorch !== false && withoutPil !== false) return
  const service = await startTarget(systemPython, 'buffers')
  try {
    const outcome = await captureProcess(service.pid, await captureSettings())
    assert.ok(outcome.kind === 'captured', JSON.stringify(outcome))
    census = outcome.census
  } finally {
    await service.stop()
  }
})

const bytesOf = (path: string): number =>
  census?.owners.find((owner) => owner.scope === '__main__' && owner.path === path)?.bytes ?? 0
const isNear = (bytes: number, expected: number): boolean => Math.abs(bytes - expected) < expected / 50

test('a storage of torch counts once, whoever looks at it', { skip: withoutTorch }, () => {
  const bytes = bytesOf('TENSORS') + bytesOf('VIEWS')
  assert.ok(isNear(bytes, 10_000_000), String(bytes))
})

test('storages elsewhere are told apart, and are none of the process', { skip: withoutTorch }, () => {
  assert.deepEqual(census?.devices, [{ device: 'meta', count: 3, bytes: 12_000_000 }])
  assert.ok(bytesOf('ELSEWHERE') < 100_000)
})

test('an image of PIL has the size of its pixels', { skip: withoutPil }, () => {
  assert.ok(isNear(bytesOf('IMAGES'), 20_000_000), String(bytesOf('IMAGES')))
  assert.ok(isNear(bytesOf('MASKS'), 5_000_000), String(bytesOf('MASKS')))
})
