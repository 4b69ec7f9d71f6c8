import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderExplain } from '../../src/report/explain-text.ts'
import { plainStyle } from '../../src/report/layout.ts'
import { limitOf, MiB, minute, watched } from '../decide/virtual-day.ts'

const sample = { process: watched(1).id, atMs: 0, rssBytes: 900 * MiB, limit: limitOf(2048, 900) }

test('what each rule sees, when it fires and what it waits for fits 80 columns', () => {
  const text = renderExplain(
    watched(1, { target: 'api' }),
    sample,
    [
      {
        name: 'rss-high',
        when: { kind: 'rss', aboveBytes: 800 * MiB, clearBelowBytes: 0 },
        value: 900 * MiB,
        threshold: 800 * MiB,
        need: 1.125,
      },
      {
        name: 'slow-leak',
        when: {
          kind: 'growth',
          aboveBytesPerMs: MiB / minute,
          clearBelowBytesPerMs: 0,
          windowMs: 30 * minute,
        },
        reason: 'not-enough-samples',
      },
      {
        name: 'will-oom',
        when: { kind: 'time-to-limit', belowMs: 2 * minute, clearAboveMs: 0, windowMs: minute },
        value: Number.POSITIVE_INFINITY,
        need: 0,
        reason: 'below-threshold',
      },
      { name: 'nightly', when: { kind: 'schedule', cron: '0 3 * * *' }, reason: 'below-threshold' },
    ],
    plainStyle,
  )
  const lines = text.split('\n')
  assert.match(lines[0] ?? '', /^process 1, target api: RSS 900 MiB; 900 MiB of 2 GiB/)
  assert.deepEqual(lines.slice(2), [
    'rule          sees  fires                         near',
    'rss-high   900 MiB  above 800 MiB                113 %  fires now',
    'slow-leak           above 1 MiB/min over 30 min         too little seen yet',
    'will-oom     never  below 2 min                    0 %  not there yet',
    'nightly             0 3 * * *                           waits for its time',
    '',
  ])
})

test('a process that no rule is meant for is said to be one', () => {
  assert.match(renderExplain(watched(1), sample, [], plainStyle), /\nno rule is meant for it\n$/)
})

test('whose process it is in Kubernetes is told', () => {
  const container = {
    id: 'a1'.repeat(32),
    runtime: 'cri-o',
    podUid: 'u',
    namespace: 'shop',
    pod: 'api-1',
    name: 'web',
  } as const
  const named = renderExplain(watched(7, { insidePid: 17, container }), sample, [], plainStyle).replaceAll(
    '\n',
    ' ',
  )
  assert.match(
    named,
    /^process 7, 17 inside, target api, container shop\/api-1\/web \(cri-o a1a1a1a1a1a1\): RSS/,
  )
  const { id, runtime, podUid } = container
  const unnamed = renderExplain(watched(7, { container: { id, runtime, podUid } }), sample, [], plainStyle)
  assert.match(unnamed.replaceAll('\n', ' '), /container a1a1a1a1a1a1 \(cri-o\), pod u: RSS/)
})
