import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { findFreeThreadedPythons } from '../setup/interpreters.ts'
import { childrenOf, digestCode, startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const pythons = findFreeThreadedPythons()

test('free-threaded builds of Python', (t) => {
  if (pythons.length > 0) return
  t.skip('optional: there is none, neither on PATH nor in pyenv; build one with --disable-gil')
})

for (const { path, version } of pythons)
  test(`a free-threaded CPython ${version} is refused and untouched`, { skip }, async () => {
    const service = await startTarget(path, 'service', 'threads')
    try {
      const code = digestCode(service.pid)
      const outcome = await captureProcess(service.pid, await captureSettings())
      assert.ok(outcome.kind === 'failed' && outcome.reason === 'unsupported-python', JSON.stringify(outcome))
      assert.match(outcome.detail, /is a free-threaded build/)
      assert.equal(digestCode(service.pid), code, 'its code has changed')
      assert.deepEqual(childrenOf(service.pid), [])
    } finally {
      const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
      assert.deepEqual(report.bad, [])
    }
  })
