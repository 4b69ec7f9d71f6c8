import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { findPythons } from '../setup/interpreters.ts'
import { startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'

for (const { path, version } of findPythons())
  test(
    `a signal that a service has noted is handled by it alone, and once: ${version} ${path}`,
    { skip },
    async () => {
      const service = await startTarget(path, 'noted_signal')
      process.kill(service.pid, 'SIGUSR1')
      await sleep(50)
      for (let n = 0; n < 3; n++) {
        const outcome = await captureProcess(service.pid, await captureSettings())
        assert.equal(outcome.kind, 'captured', JSON.stringify(outcome).slice(0, 300))
      }
      assert.match(await service.stop(), /^handled 1$/m)
    },
  )
