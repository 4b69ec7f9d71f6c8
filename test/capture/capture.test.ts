import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Captured } from '../../src/model.ts'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { findPythons } from '../setup/interpreters.ts'
import { childrenOf, digestCode, startTarget, strayProcesses } from '../setup/service.ts'

const isRoot = process.getuid?.() === 0
const skip = isRoot ? false : 'needs root, to trace processes'
const pythons = findPythons()
const systemPython = '/usr/bin/python3'

/** The outcome, or the failure in words. */
async function captureWell(
  pid: number,
  settings: Awaited<ReturnType<typeof captureSettings>>,
): Promise<Captured> {
  const outcome = await captureProcess(pid, settings)
  assert.ok(outcome.kind === 'captured', JSON.stringify(outcome))
  return outcome
}

for (const state of ['idle', 'busy', 'threads', 'loop', 'forking', 'native', 'timers'])
  test(`a service that is ${state} is captured 20 times in a row and unharmed`, { skip }, async () => {
    const settings = await captureSettings()
    const service = await startTarget(systemPython, 'service', state)
    try {
      const code = digestCode(service.pid)
      for (let n = 0; n < 20; n++) {
        const { census } = await captureWell(service.pid, settings)
        const sessions = census.types.find(({ type }) => type === '__main__.Session')
        assert.equal(sessions?.count, 20000)
        assert.ok(census.complete)
      }
      assert.equal(digestCode(service.pid), code, 'its code has changed')
      assert.deepEqual(strayProcesses(), [])
      if (state !== 'forking') assert.deepEqual(childrenOf(service.pid), [])
    } finally {
      const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as {
        bad: string[]
        beats: number
      }
      assert.deepEqual(report.bad, [])
      assert.ok(report.beats > 0)
    }
  })

for (const { path, version } of pythons)
  for (const state of ['idle', 'busy', 'threads', 'loop'])
    test(`CPython ${version} that is ${state}: the dump names class and owner`, { skip }, async () => {
      const settings = await captureSettings()
      const service = await startTarget(path, 'service', state)
      try {
        const { census, method, pauseMs } = await captureWell(service.pid, settings)
        assert.ok(census.python.version.startsWith(version))
        const owner = census.owners.find(({ scope }) => scope === '__main__.Registry')
        assert.equal(owner?.path, 'live')
        assert.equal(owner?.entries, 20000)
        assert.deepEqual(owner.entryTypes[0], { type: '__main__.Session', count: 20000 })
        assert.equal(method, state === 'idle' ? 'resting-thread' : method)
        assert.ok(pauseMs > 0)
        const names = census.stacks.flatMap(({ frames }) => frames.map((frame) => frame.function))
        assert.ok(names.includes('<module>'), 'the main thread has its stack')
        if (state === 'threads') {
          const workers = census.stacks.filter(({ name }) => name.startsWith('worker-'))
          assert.equal(workers.length, 8)
          assert.ok(workers.every(({ frames }) => frames.some((frame) => frame.function === 'work')))
        }
      } finally {
        const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
        assert.deepEqual(report.bad, [])
      }
    })

for (const { path, version } of pythons)
  test(`CPython ${version} with a sub-interpreter: what that one holds is named too`, { skip }, async () => {
    const settings = await captureSettings()
    const service = await startTarget(path, 'subinterpreters')
    try {
      const { census } = await captureWell(service.pid, settings)
      const owner = census.owners.find(({ path: name }) => name === 'BASKETS')
      assert.match(owner?.scope ?? '', /^shop \(interpreter \d+\)$/)
      assert.equal(census.types.find(({ type }) => type === 'shop.Basket')?.count, 12345)
      assert.ok(service.isAlive)
    } finally {
      await service.stop()
    }
  })
