import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readCountSource, readLiveSource } from '../../src/capture/live-source.ts'
import { type RanLive, runLive } from '../../src/capture/run-live.ts'
import { withService } from '../../src/capture/with-service.ts'
import type { CaptureFailed } from '../../src/model.ts'
import { captureProcess, captureSettings, identify } from '../setup/capture.ts'
import { findPythons } from '../setup/interpreters.ts'
import { RunningService, startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const src = (path: string): string => new URL(`../../src/${path}`, import.meta.url).pathname
const python = '/usr/bin/python3'

async function runIn(pid: number, source: Buffer): Promise<RanLive | CaptureFailed> {
  return withService({ id: identify(pid) }, await captureSettings(), ({ service }) =>
    runLive(service, source, 10_000),
  )
}

const execute = (source: string): Buffer =>
  readLiveSource(src('live/exec.py'), {
    source,
    name: '<test>',
    mode: 'exec',
    limit: 1000,
    paths: '',
    keep: '',
  })

for (const { path, version } of findPythons())
  for (const state of ['idle', 'busy', 'threads'])
    test(
      `CPython ${version} that is ${state} runs code in itself and goes on unharmed`,
      { skip },
      async () => {
        const service = await startTarget(path, 'service', state)
        try {
          const maps = (): number => readFileSync(`/proc/${service.pid}/maps`, 'latin1').split('rwxp').length
          const before = maps()
          for (let n = 0; n < 3; n++) {
            const ran = await runIn(
              service.pid,
              execute('print(main.__name__, len(main.Registry.live))\n1/0'),
            )
            assert.ok(ran.kind === 'ran', JSON.stringify(ran))
            const answer = JSON.parse(ran.result.toString()) as { output: string; error: string }
            assert.equal(answer.output, '__main__ 20000\n')
            assert.match(answer.error, /^Traceback .*\n {2}File "<test>", line 2.*\n[^]*ZeroDivisionError/)
          }
          assert.equal(maps(), before)
        } finally {
          const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as {
            bad: string[]
          }
          assert.deepEqual(report.bad, [])
        }
      },
    )

test('what the code prints beyond the limit is cut off and told', { skip }, async () => {
  const service = await startTarget(python, 'service', 'idle')
  try {
    const ran = await runIn(service.pid, execute('for n in range(10000): print("x" * 100)'))
    assert.ok(ran.kind === 'ran', JSON.stringify(ran))
    const answer = JSON.parse(ran.result.toString()) as { output: string; cut: boolean }
    assert.equal(answer.output.length, 1000)
    assert.equal(answer.cut, true)
  } finally {
    await service.stop()
  }
})

test('tracing starts in the service, and is left alone where it runs already', { skip }, async () => {
  const service = await startTarget(python, 'service', 'busy')
  const trace = (frames: number): Buffer => readLiveSource(src('live/trace.py'), { frames })
  try {
    const answers: string[] = []
    for (const frames of [5, 3, 0]) {
      const ran = await runIn(service.pid, trace(frames))
      answers.push(ran.kind === 'ran' ? ran.result.toString() : JSON.stringify(ran))
    }
    assert.deepEqual(answers, [
      '{"before":0,"frames":5}',
      '{"before":5,"frames":5}',
      '{"before":5,"frames":0}',
    ])
  } finally {
    await service.stop()
  }
})

/** A service whose user may have no second process: it cannot be cloned. */
async function startWithoutClone(): Promise<RunningService> {
  const file = new URL('../targets/service.py', import.meta.url).pathname
  const asOther = ['setpriv', '--reuid', '64999', '--clear-groups', python, file, 'idle']
  const service = new RunningService('prlimit', ['--nproc=1:1', ...asOther])
  await service.said('ready')
  return service
}

test(
  'a service that cannot be cloned is counted in itself only where that is allowed',
  { skip },
  async () => {
    const service = await startWithoutClone()
    try {
      const refused = await captureProcess(service.pid, await captureSettings())
      assert.equal(refused.kind === 'failed' && refused.reason, 'clone-refused')
      const inlineSource = readCountSource(src('live'), src('payload'))
      const counted = await captureProcess(service.pid, await captureSettings({ inlineSource }))
      assert.ok(counted.kind === 'captured')
      assert.equal(counted.method, 'in-process')
      assert.equal(counted.census.types.find(({ type }) => type === '__main__.Session')?.count, 20000)
      assert.equal(counted.census.complete, false)
      assert.equal(counted.truncated?.reason, 'in-process')
    } finally {
      const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
      assert.deepEqual(report.bad, [])
    }
  },
)
