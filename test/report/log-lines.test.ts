import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CaptureRequest, ProcessId, TraceRequest } from '../../src/model.ts'
import { linesOf, logCapture } from '../../src/report/log-lines.ts'
import type { ToldEvent } from '../../src/report/told-event.ts'
import { dump, findings } from './make-report.ts'

const process: ProcessId = { bootId: 'b', pid: 7, startTicks: 1 }
const request: CaptureRequest = {
  kind: 'capture',
  process,
  fired: { rule: 'rss-high', kind: 'rss', value: 2, threshold: 1 },
  alsoFired: [],
  capture: ['census'],
}
const traceRequest: TraceRequest = {
  kind: 'trace',
  process,
  fired: request.fired,
  alsoFired: [],
  frames: 5,
}
const traced = { kind: 'traced', frames: 5, pauseMs: 3, method: 'pending-call' } as const
const published = { id: dump.id, path: dump.path, manifest: dump.manifest }
const refused = { kind: 'failed', reason: 'not-permitted', detail: 'no', hint: 'be root' } as const
const finished = (outcome: Extract<ToldEvent, { kind: 'finished' }>['outcome']): ToldEvent => ({
  kind: 'finished',
  request,
  outcome,
})

const cases: readonly (readonly [string, ToldEvent, readonly (readonly [string, string])[]])[] = [
  [
    'what a capture is for',
    { kind: 'decided', trigger: { kind: 'interval' }, verdict: request, waits: [], quarantines: [] },
    [['info', 'capture begins']],
  ],
  [
    'a quiet turn, at debug',
    {
      kind: 'decided',
      trigger: { kind: 'interval' },
      verdict: { kind: 'wait', waits: [] },
      waits: [{ process, rule: 'r', reason: 'cooling-down' }],
      quarantines: [],
    },
    [['debug', 'not captured']],
  ],
  [
    'a quarantine, once at each end',
    {
      kind: 'decided',
      trigger: { kind: 'interval' },
      verdict: { kind: 'wait', waits: [] },
      waits: [],
      quarantines: [
        { kind: 'began', process, failures: 2, leftMs: 3_600_000 },
        { kind: 'ended', process },
      ],
    },
    [
      ['warn', 'quarantine begins: its captures failed in a row'],
      ['info', 'quarantine ended'],
    ],
  ],
  [
    'a trace, which is never quiet',
    { kind: 'traced', request: traceRequest, outcome: { ...traced, before: 0 } },
    [['info', 'started tracemalloc in the service']],
  ],
  [
    'a service that traces already',
    { kind: 'traced', request: traceRequest, outcome: { ...traced, before: 9, frames: 9 } },
    [['info', 'tracemalloc runs in the service already, and is left alone']],
  ],
  [
    'a trace that failed',
    { kind: 'traced', request: traceRequest, outcome: refused },
    [['warn', 'trace failed']],
  ],
  ['a dump', finished({ kind: 'dumped', published, findings }), [['info', 'dump published']]],
  [
    'a dump without a census, and why',
    finished({ kind: 'dumped-outside', published, outcome: refused }),
    [
      ['warn', 'capture failed'],
      ['info', 'dump published'],
    ],
  ],
  ['a refused capture', finished({ kind: 'refused', outcome: refused }), [['warn', 'capture failed']]],
  [
    'a dump that found no room',
    finished({ kind: 'not-stored', failure: { reason: 'no-space', detail: 'full', hint: 'free' } }),
    [['error', 'dump not written']],
  ],
]
for (const [what, event, expected] of cases) {
  test(`the log tells ${what}`, () => {
    assert.deepEqual(
      linesOf(event).map(({ level, message }) => [level, message]),
      expected,
    )
  })
}

test('a failure carries its reason, its words and what to do', () => {
  assert.deepEqual(logCapture(process, refused).fields, {
    pid: 7,
    reason: 'not-permitted',
    detail: 'no',
    hint: 'be root',
  })
})

test('a thousand waits are counted, not listed', () => {
  const waits = Array.from({ length: 1000 }, () => ({ process, rule: 'r', reason: 'latched' }) as const)
  const [line] = linesOf({
    kind: 'decided',
    trigger: { kind: 'interval' },
    verdict: { kind: 'wait', waits },
    waits,
    quarantines: [],
  })
  assert.deepEqual(line?.fields['reasons'], { latched: 1000 })
  assert.ok(JSON.stringify(line).length < 4000)
})
