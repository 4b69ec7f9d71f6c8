import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DaemonEvent, type Stages, watch } from '../src/daemon.ts'
import type { CaptureRequest, Observation, Trigger } from '../src/model.ts'
import type { DumpOutcome } from '../src/take-dump.ts'

const observation: Observation = {
  atMs: 0,
  samples: [],
  appeared: [],
  gone: [],
  host: { totalBytes: 1, availableBytes: 1 },
}
const request: CaptureRequest = {
  kind: 'capture',
  process: { bootId: 'b', pid: 1, startTicks: 1 },
  fired: { rule: 'r', kind: 'rss' },
  alsoFired: [],
  capture: ['census'],
}
const refused: DumpOutcome = { kind: 'refused', outcome: { kind: 'failed', reason: 'gone', detail: '' } }

async function* turns(count: number): AsyncGenerator<Trigger> {
  for (let n = 0; n < count; n++) yield { kind: 'interval' }
}

const stages = (changes: Partial<Stages<number>>, told: string[]): Stages<number> => ({
  triggers: turns(3),
  observe: async () => observation,
  conclude: async () => undefined,
  remember: (memory) => memory + 1,
  decide: (memory) => ({ verdict: { kind: 'wait', waits: [] }, waits: [], quarantines: [], memory }),
  dump: async () => refused,
  rememberDump: (memory) => memory + 100,
  trace: async () => ({ kind: 'failed', reason: 'gone', detail: '' }),
  rememberTrace: (memory) => memory + 1000,
  report: (event: DaemonEvent) => told.push(event.kind),
  ...changes,
})

test('a turn observes, remembers and decides, and tells each', async () => {
  const told: string[] = []
  assert.equal(await watch(stages({}, told), 0), 3)
  assert.deepEqual(told, ['observed', 'decided', 'observed', 'decided', 'observed', 'decided'])
})

test('a capture that failed is remembered as one that was made, and the watch goes on', async () => {
  const told: string[] = []
  const decide: Stages<number>['decide'] = (memory) =>
    memory === 2
      ? { verdict: request, waits: [], quarantines: [], memory }
      : { verdict: { kind: 'wait', waits: [] }, waits: [], quarantines: [], memory }
  assert.equal(await watch(stages({ decide }, told), 0), 103)
  assert.equal(told.filter((kind) => kind === 'finished').length, 1)
})

test('a verdict to trace traces, is remembered as that, and is no dump', async () => {
  const told: string[] = []
  const { capture: _capture, ...rest } = request
  const decide: Stages<number>['decide'] = (memory) =>
    memory === 2
      ? { verdict: { ...rest, kind: 'trace', frames: 5 }, waits: [], quarantines: [], memory }
      : { verdict: { kind: 'wait', waits: [] }, waits: [], quarantines: [], memory }
  assert.equal(await watch(stages({ decide }, told), 0), 1003)
  assert.equal(told.filter((kind) => kind === 'traced').length, 1)
  assert.ok(!told.includes('finished'))
})

test('a defect in a stage ends the watch instead of hiding in it', async () => {
  const observe = (): Promise<Observation> => Promise.reject(new Error('a defect'))
  await assert.rejects(watch(stages({ observe }, []), 0), /a defect/)
})
