import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLiveSource } from '../../src/capture/live-source.ts'
import { runLive } from '../../src/capture/run-live.ts'
import { withService } from '../../src/capture/with-service.ts'
import { captureSettings, identify } from '../setup/capture.ts'
import { RunningService } from '../setup/service.ts'
import { startInSuite } from '../setup/suite-service.ts'
import { findSuites } from '../setup/suites.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes and to chroot'
const suite = findSuites().find(({ pythons }) => pythons.includes('/usr/bin/python3.14'))
const file = new URL('../../src/live/exec.py', import.meta.url).pathname
const code = {
  source: 'print(main.__name__)',
  name: '<test>',
  mode: 'exec',
  limit: 1000,
  paths: '',
  keep: '',
}
const source = readLiveSource(file, code)

async function run(service: RunningService) {
  const settings = await captureSettings()
  return withService({ id: identify(service.pid) }, settings, (entrance) =>
    runLive(entrance.service, source, 10_000),
  )
}

test('CPython 3.14 of another suite', (t) => {
  if (!suite) t.skip('optional: no suite with Python 3.14; npm run test:suites fetches them')
})

if (suite)
  for (const state of ['busy', 'idle', 'threads'])
    test(`3.14 that is ${state} runs code by its own interface, and is not stopped`, { skip }, async () => {
      const service = await startInSuite(suite, '/usr/bin/python3.14', 'service', state)
      try {
        const ran = await run(service)
        assert.ok(ran.kind === 'ran', JSON.stringify(ran))
        assert.equal((JSON.parse(ran.result.toString()) as { output: string }).output, '__main__\n')
        assert.equal(ran.method, 'remote-exec')
        assert.equal(ran.pauseMs, 0)
      } finally {
        const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
        assert.deepEqual(report.bad, [])
      }
    })

if (suite)
  test('3.14 whose owner has switched that off is left alone', { skip }, async () => {
    const ready = await startInSuite(suite, '/usr/bin/python3.14', 'service', 'busy')
    await ready.stop()
    const off = ['-X', 'disable-remote-debug', '/tmp/service.py', 'busy']
    const service = new RunningService('chroot', [suite.root, '/usr/bin/python3.14', ...off])
    try {
      await service.said('ready')
      const ran = await run(service)
      assert.ok(ran.kind === 'failed' && ran.reason === 'not-permitted', JSON.stringify(ran))
    } finally {
      await service.stop()
    }
  })
