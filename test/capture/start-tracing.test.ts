import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type TraceSettings, startTracing } from '../../src/capture/start-tracing.ts'
import type { TraceOutcome } from '../../src/model.ts'
import { captureProcess, captureSettings, identify } from '../setup/capture.ts'
import { findPythons } from '../setup/interpreters.ts'
import { startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to enter processes'
const file = new URL('../../src/live/trace.py', import.meta.url).pathname

async function settingsWith(traceFile: string): Promise<TraceSettings> {
  return { ...(await captureSettings({ lockTimeoutMs: 60_000 })), traceFile }
}

/** The frames before and after; fails when it failed. */
function framesOf(outcome: TraceOutcome): readonly [number, number] {
  assert.ok(outcome.kind === 'traced', JSON.stringify(outcome))
  assert.ok(outcome.pauseMs > 0 && outcome.pauseMs < 5000, String(outcome.pauseMs))
  return [outcome.before, outcome.frames]
}

for (const { path, version } of findPythons())
  for (const way of path.startsWith('/usr/bin/') ? ['idle', 'threads', 'busy'] : ['idle'])
    test(
      `tracemalloc starts in a service of CPython ${version} (${way}), and a census tells the lines`,
      { skip },
      async () => {
        const settings = await settingsWith(file)
        const service = await startTarget(path, 'service', way)
        try {
          const subject = { id: identify(service.pid) }
          assert.deepEqual(framesOf(await startTracing(subject, settings, 2)), [0, 2])
          assert.deepEqual(framesOf(await startTracing(subject, settings, 1)), [2, 2], 'left alone')
          assert.deepEqual(framesOf(await startTracing(subject, settings, 4)), [2, 4])
          const outcome = await captureProcess(service.pid, await captureSettings({ lockTimeoutMs: 60_000 }))
          assert.ok(outcome.kind === 'captured', JSON.stringify(outcome))
          assert.ok(outcome.census.complete, outcome.census.problems.join())
          assert.equal(outcome.census.allocations?.frames, 4)
          assert.ok(outcome.census.malloc)
          assert.ok(service.isAlive)
        } finally {
          const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as {
            bad: string[]
          }
          assert.deepEqual(report.bad, [])
        }
      },
    )

for (const [what, answer] of [
  ['nonsense', `b"{"`],
  ['something else', `b'{"before":-1,"frames":5}'`],
  ['fewer frames', `b'{"before":0,"frames":1}'`],
  ['what is no bytes', `5`],
] as const)
  test(`a service that answers ${what} has not been traced`, { skip }, async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-trace-'))
    writeFileSync(join(scratch, 'trace.py'), `RESULT = ${answer}\n`)
    const settings = await settingsWith(join(scratch, 'trace.py'))
    const service = await startTarget('/usr/bin/python3', 'service', 'idle')
    try {
      const outcome = await startTracing({ id: identify(service.pid) }, settings, 5)
      assert.ok(outcome.kind === 'failed' && outcome.reason === 'bad-payload-output', JSON.stringify(outcome))
    } finally {
      await service.stop()
      rmSync(scratch, { recursive: true })
    }
  })
