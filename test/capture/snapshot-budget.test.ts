import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import type { CaptureSettings } from '../../src/capture/capture.ts'
import type { CaptureOutcome, LimitUse } from '../../src/model.ts'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { createMemoryCgroup, memoryCgroupVersion } from '../setup/memory-cgroup.ts'
import { type RunningService, startTarget, strayProcesses } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const MiB = 2 ** 20

async function withHeap<T>(act: (service: RunningService) => Promise<T>): Promise<T> {
  const service = await startTarget('/usr/bin/python3', 'heap', '1000000')
  try {
    const result = await act(service)
    assert.deepEqual(strayProcesses(), [])
    return result
  } finally {
    assert.match(await service.stop(), /"bad": \[\]/)
  }
}

const captureHeap = async (changes: Partial<CaptureSettings>): Promise<CaptureOutcome> =>
  withHeap(async ({ pid }) => captureProcess(pid, await captureSettings(changes)))

test('a snapshot that copies more than it may is ended, and what it told is kept', { skip }, async (t) => {
  if (memoryCgroupVersion() === undefined) return t.skip('needs a memory cgroup, which tells what is copied')
  const outcome = await captureHeap({ maxCopy: { kind: 'size', bytes: 8 * MiB } })
  assert.ok(outcome.kind === 'captured', JSON.stringify(outcome))
  assert.equal(outcome.truncated?.reason, 'budget')
  assert.match(outcome.truncated.detail, /capture\.max_copy/)
  assert.ok(outcome.census.stacks.length > 0)
})

test('a snapshot that may copy next to nothing is refused, not taken again', { skip }, async (t) => {
  if (memoryCgroupVersion() === undefined) return t.skip('needs a memory cgroup, which tells what is copied')
  const outcome = await captureHeap({ maxCopy: { kind: 'size', bytes: 1 } })
  if (outcome.kind === 'captured') assert.equal(outcome.truncated?.reason, 'budget')
  else assert.equal(outcome.reason, 'not-enough-memory')
})

test('a service without room for the clone itself is left alone', { skip }, async () => {
  const full: LimitUse = { source: 'cgroup', limitBytes: MiB, usedBytes: MiB, where: '/full' }
  const outcome = await captureHeap({ readLimits: () => [full] })
  assert.ok(outcome.kind === 'failed' && outcome.reason === 'not-enough-memory', JSON.stringify(outcome))
})

test(
  'a service that writes all over its heap under a limit is relieved of the snapshot',
  { skip },
  async (t) => {
    const cgroup = createMemoryCgroup('pyheap-headroom', 4096 * MiB)
    if (!cgroup) return t.skip('needs a memory cgroup that may be written')
    try {
      await withHeap(async (service) => {
        // Charged from here on: what it copies, and nothing else.
        cgroup.add(service.pid)
        const before = cgroup.usedBytes()
        const limitBytes = before + 60 * MiB
        cgroup.setLimit(limitBytes)
        service.process.kill('SIGUSR1')
        await sleep(300)
        const readLimits = (): LimitUse[] => [
          { source: 'cgroup', limitBytes, usedBytes: cgroup.usedBytes(), where: cgroup.path },
        ]
        const outcome = await captureProcess(service.pid, await captureSettings({ readLimits }))
        assert.ok(service.isAlive, 'it was not OOM-killed')
        assert.equal(cgroup.oomKills(), 0)
        // A census that is done before the service has written to half of its heap is none the worse.
        if (outcome.kind === 'captured' && outcome.census.complete) return
        const why = outcome.kind === 'captured' ? outcome.truncated?.detail : outcome.detail
        assert.match(why ?? '', /the service has only/)
      })
    } finally {
      await cgroup.remove()
    }
  },
)
