import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainStyle } from '../../src/report/layout.ts'
import { type ListedProcess, renderProcesses } from '../../src/report/processes-text.ts'

const MiB = 2 ** 20
const api: ListedProcess = {
  pid: 4242,
  target: 'api',
  user: 'www-data',
  command: 'python3 api.py',
  rssBytes: 900 * MiB,
  limitShare: 0.6,
  growthBytesPerMs: (12 * MiB) / 60_000,
  leftMs: 50 * 60_000,
  nearest: { rule: 'rss-high', need: 0.9 },
}
const idle: ListedProcess = { ...api, pid: 7, rssBytes: 30 * MiB, growthBytesPerMs: 0.1, nearest: undefined }

test('the nearest to a rule comes first, and fits the terminal', () => {
  const lines = renderProcesses([idle, api], plainStyle, true)
  assert.deepEqual(lines, [
    ' pid  target  user          RSS  limit  growth/min  to limit  nearest rule   command',
    '4242  api     www-data  900 MiB   60 %     +12 MiB    50 min  rss-high 90 %  python3…',
    '   7  api     www-data   30 MiB   60 %           0                           python3…',
  ])
  for (const line of renderProcesses([{ ...api, command: 'x'.repeat(500) }], plainStyle, false))
    assert.ok(line.length <= 80, line)
})

test('what shrinks says so, and what a service calls itself cannot steer the terminal', () => {
  const [, line = ''] = renderProcesses(
    [{ ...api, growthBytesPerMs: -MiB / 60_000, leftMs: undefined, command: 'evil\u001b[2J' }],
    { ...plainStyle, width: 120 },
    true,
  )
  assert.match(line, / -1 MiB /)
  assert.ok(!line.includes('\u001b'))
})

test('who is being captured is told', () => {
  const [, line = ''] = renderProcesses(
    [{ ...api, isBeingCaptured: true }],
    { ...plainStyle, width: 120 },
    false,
  )
  assert.match(line, /\(being captured\) python3 api\.py$/)
})

test('nobody to show is said', () => {
  assert.deepEqual(renderProcesses([], plainStyle, false), ['no Python process is named by a target'])
})

test('a process in a container has its pid there and the name of that, and still fits the terminal', () => {
  const container = {
    id: 'a1'.repeat(32),
    runtime: 'containerd',
    namespace: 'shop',
    pod: 'api-1',
    name: 'web',
  } as const
  const evil = { ...api, pid: 8, container: { ...container, pod: `evil\u001b[2J${'x'.repeat(500)}` } }
  const some = [{ ...api, insidePid: 17, container }, idle, evil]
  const [head = '', first, , last] = renderProcesses(some, { ...plainStyle, width: 120 }, false)
  assert.match(head, /^ pid  inside  target/)
  assert.match(first ?? '', /^4242      17  api .* \[shop\/api-1\/web\] python3 api\.py$/)
  assert.match(last ?? '', /^   7          api/)
  for (const line of renderProcesses(some, plainStyle, false)) {
    assert.ok(line.length <= 80, line)
    assert.ok(!line.includes('\u001b'))
  }
})
