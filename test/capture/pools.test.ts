import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { findPythons } from '../setup/interpreters.ts'
import { startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'

/** What the payload takes itself, at most. */
const OURS = 4 * 2 ** 20

/** A figure of sys._debugmallocstats(). */
function statistic(output: string, name: string): number {
  const digits = new RegExp(`^# ${name} +=? +([\\d,]+)$`, 'm').exec(output)?.[1]
  assert.ok(digits !== undefined, `${name} in ${output}`)
  return Number(digits.replaceAll(',', ''))
}

for (const { path, version } of findPythons())
  test(`CPython ${version}: blocks in use are counted as pymalloc counts them`, { skip }, async () => {
    const service = await startTarget(path, 'holes')
    try {
      const outcome = await captureProcess(service.pid, await captureSettings())
      assert.ok(outcome.kind === 'captured', JSON.stringify(outcome))
      const { pools } = outcome.census
      const used = statistic(service.output, 'bytes in allocated blocks')
      const free = statistic(service.output, 'bytes in available blocks')
      assert.ok(pools !== undefined)
      // The snapshot's own objects are among them.
      assert.ok(pools.usedBytes >= used && pools.usedBytes < used + OURS, `${pools.usedBytes} and ${used}`)
      assert.ok(pools.bytes - pools.usedBytes > free * 0.9, `${JSON.stringify(pools)} and ${free}`)
      assert.ok(pools.usedBytes < pools.bytes / 2)
    } finally {
      await service.stop()
    }
  })
