import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { startTracing } from '../../src/capture/start-tracing.ts'
import { captureProcess, captureSettings, identify } from '../setup/capture.ts'
import { pyheapctl } from '../setup/run-tool.ts'
import { RunningService } from '../setup/service.ts'
import { startInSuite } from '../setup/suite-service.ts'
import { findSuites, suitesDirectory } from '../setup/suites.ts'

const traceFile = new URL('../../src/live/trace.py', import.meta.url).pathname
const suites = findSuites()
const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes and to chroot'
const interpreters = suites.flatMap((suite) => suite.pythons.map((python) => ({ suite, python })))

test('the interpreters of other Debian suites', (t) => {
  if (suites.length > 0) return
  t.skip(`optional: none in ${suitesDirectory()}; npm run test:suites fetches them, in some two minutes`)
})

for (const { suite, python } of interpreters)
  for (const state of ['idle', 'busy', 'threads', 'loop'])
    test(`${suite.name}: ${python} that is ${state}: the dump names class and owner`, { skip }, async () => {
      const settings = await captureSettings()
      const service = await startInSuite(suite, python, 'service', state)
      try {
        const outcome = await captureProcess(service.pid, settings)
        assert.ok(outcome.kind === 'captured', JSON.stringify(outcome))
        const { census, method } = outcome
        assert.deepEqual(census.problems, [])
        assert.ok(census.complete)
        const owner = census.owners.find(({ scope }) => scope === '__main__.Registry')
        assert.equal(owner?.path, 'live')
        assert.deepEqual(owner.entryTypes[0], { type: '__main__.Session', count: 20000 })
        assert.equal(method, state === 'idle' ? 'resting-thread' : method)
      } finally {
        const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
        assert.deepEqual(report.bad, [])
      }
    })

for (const { suite, python } of interpreters) {
  test(`${suite.name}: ${python}: a signal that a service has noted is handled once`, { skip }, async () => {
    const service = await startInSuite(suite, python, 'noted_signal')
    process.kill(service.pid, 'SIGUSR1')
    await sleep(50)
    const outcome = await captureProcess(service.pid, await captureSettings())
    assert.equal(outcome.kind, 'captured', JSON.stringify(outcome).slice(0, 300))
    assert.match(await service.stop(), /^handled 1$/m)
  })

  test(
    `${suite.name}: ${python}: tracemalloc starts in it, and a census tells the lines`,
    { skip },
    async () => {
      const service = await startInSuite(suite, python, 'service', 'idle')
      try {
        const settings = { ...(await captureSettings()), traceFile }
        const traced = await startTracing({ id: identify(service.pid) }, settings, 3)
        assert.ok(traced.kind === 'traced' && traced.frames === 3, JSON.stringify(traced))
        const outcome = await captureProcess(service.pid, await captureSettings())
        assert.ok(outcome.kind === 'captured', JSON.stringify(outcome).slice(0, 300))
        assert.equal(outcome.census.allocations?.frames, 3)
      } finally {
        const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
        assert.deepEqual(report.bad, [])
      }
    },
  )
}

for (const { name, root, pypy } of suites.filter((suite) => suite.pypy !== undefined))
  test(`${name}: PyPy is refused by its name`, { skip }, async () => {
    const program = 'import time; print("ready", flush=True); time.sleep(600)'
    const service = new RunningService('env', ['LC_ALL=C', 'chroot', root, pypy ?? '', '-c', program])
    try {
      await service.said('ready')
      const { code, out, err } = await pyheapctl('capture', String(service.pid))
      assert.equal(code, 4)
      assert.equal(out, '')
      assert.match(err, /^process \d+ runs PyPy, not CPython/m)
    } finally {
      await service.stop()
    }
  })
