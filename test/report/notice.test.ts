import assert from 'node:assert/strict'
import { test } from 'node:test'
import { journalEntry } from '../../src/report/journal-entry.ts'
import { daemonStatus, renderStatus } from '../../src/report/daemon-status.ts'
import { plainStyle } from '../../src/report/layout.ts'
import { noticesOf } from '../../src/report/notice.ts'
import { initialState, nextServiceState, type ServiceState } from '../../src/report/service-state.ts'
import { statusLine } from '../../src/report/status-line.ts'
import type { ToldEvent, ToldOutcome } from '../../src/report/told-event.ts'
import { MiB, watched } from '../decide/virtual-day.ts'
import { dump, findings } from './make-report.ts'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const place = { at: '2026-01-01T12:00:00.000Z', host: 'web-1' }
const one = watched(7, { unit: 'api.service', user: 'www-data' })
const host = { totalBytes: 1, availableBytes: 1 }
const looked: ToldEvent = {
  kind: 'observed',
  observation: {
    atMs: 0,
    samples: [{ process: one.id, atMs: 0, rssBytes: 100 * MiB }],
    appeared: [one],
    gone: [],
    host,
  },
}
const killed: ToldEvent = {
  kind: 'observed',
  observation: {
    atMs: 1,
    samples: [],
    appeared: [],
    gone: [one.id],
    host,
    endings: [{ process: one.id, how: 'oom-killed', at: '2026-01-01T11:59:59.000Z' }],
  },
}
const finished = (outcome: ToldOutcome): ToldEvent => ({
  kind: 'finished',
  request: {
    kind: 'capture',
    process: one.id,
    fired: { rule: 'near-limit', kind: 'limit' },
    alsoFired: [],
    capture: ['census'],
  },
  outcome,
})
const captured = finished({
  kind: 'dumped',
  published: { id: 'api/x', path: '/s/api/x', manifest: dump.manifest },
  findings,
})
const refused = (reason: 'busy' | 'already-traced') =>
  finished({ kind: 'refused', outcome: { kind: 'failed', reason, detail: 'by gdb', hint: 'end it' } })

const after = (events: readonly ToldEvent[]): ServiceState =>
  events.reduce(
    (state, event) => nextServiceState(state, event, NOW),
    initialState({ version: '1', targets: 2, rules: 3, startedMs: NOW - 60_000 }),
  )
const notices = (event: ToldEvent, before: readonly ToldEvent[] = [looked]) =>
  noticesOf(event, after(before), place)

test('a capture is told with whose it is, what it says and where it is', () => {
  const [notice, ...others] = notices(captured)
  assert.deepEqual(others, [])
  assert.equal(notice?.event, 'captured')
  assert.deepEqual([notice.unit, notice.user, notice.pid], ['api.service', 'www-data', 7])
  assert.deepEqual([notice.dump, notice.verdict], ['/s/api/x', findings.verdict])
  assert.ok((notice.suspects?.length ?? 0) <= 5)
})

test('a capture that failed is told with what to do; one that has to wait is not', () => {
  const [notice] = notices(refused('already-traced'))
  assert.deepEqual(
    [notice?.event, notice?.reason, notice?.hint, notice?.rule],
    ['failed', 'already-traced', 'end it', 'near-limit'],
  )
  assert.deepEqual(notices(refused('busy')), [])
})

test('an OOM kill names the last dump of the process, or says that there is none', () => {
  assert.match(
    notices(killed)[0]?.message ?? '',
    /^api \(pid 7\) was killed by the OOM killer; since the daemon was started there was no dump of it$/,
  )
  const [notice] = notices(killed, [looked, captured])
  assert.deepEqual([notice?.event, notice?.dump, notice?.at], ['oom', '/s/api/x', '2026-01-01T11:59:59.000Z'])
})

test('a low disk is told once, and no other change', () => {
  const disk = (isLow: boolean, isNews: boolean): ToldEvent => ({
    kind: 'disk',
    dir: '/s',
    freeBytes: 5 * MiB,
    isLow,
    isNews,
  })
  assert.match(notices(disk(true, true))[0]?.message ?? '', /\/s has 5 MiB left/)
  assert.deepEqual([...notices(disk(true, false)), ...notices(disk(false, true))], [])
})

test('the line for systemctl status says what is wrong first', () => {
  assert.equal(statusLine(after([looked]), NOW), 'watching 1 Python process (targets: 2, rules: 3)')
  const line = statusLine(
    after([
      looked,
      { kind: 'config-refused', problems: ['c.yaml:1:1: unknown key', 'more'] },
      { kind: 'paused', forMs: 60_000 },
      refused('already-traced'),
    ]),
    NOW,
  )
  assert.match(
    line,
    /^configuration REFUSED, the old one is in force \(c\.yaml:1:1: unknown key, and 1 more\); PAUSED until 2026-01-01 12:01:00Z; watching 1 .*; last: api \(pid 7\) not captured: already-traced, 2026-01-01 12:00:00Z$/,
  )
  assert.doesNotMatch(statusLine(after([{ kind: 'paused', forMs: 5 }]), NOW + 6), /PAUSED/)
})

test('the state forgets who has ended, and counts what has happened', () => {
  const state = after([looked, captured, killed])
  assert.equal(state.processes.size, 0)
  assert.deepEqual([state.captured, state.failed, state.oomKills], [1, 0, 1])
  const again = after([
    looked,
    { kind: 'config-refused', problems: ['x'] },
    { kind: 'reloaded', targets: 1, rules: 1 },
  ])
  assert.deepEqual([again.refused, again.rules, again.processes.size], [undefined, 1, 1])
})

test('status for people fits a terminal, and names what is wrong', () => {
  const state = after([
    looked,
    captured,
    { kind: 'disk', dir: '/s', freeBytes: 5, isLow: true, isNews: true },
  ])
  const text = renderStatus(daemonStatus(state, NOW, { rssBytes: MiB, cpuShare: 0.01 }), NOW, plainStyle)
  assert.match(text, /^daemon {5}pyheap-watchd 1, up 60 s/m)
  assert.match(text, /^uses {7}1 MiB, 1\.0 % of a CPU/m)
  assert.match(text, /api +100 MiB +x$/m)
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
})

test("a journal entry has one line a field, whatever a service's names hold", () => {
  const entry = journalEntry({ ...place, event: 'oom', message: 'a\nPRIORITY=0', target: 'api' }, 99)
  assert.match(entry, /^MESSAGE=a PRIORITY=0\nMESSAGE_ID=[0-9a-f]{32}\nPRIORITY=3\n/)
  assert.match(entry, /\nOBJECT_PID=99\n/)
  assert.equal(entry.split('\n').filter((line) => line.startsWith('PRIORITY=')).length, 1)
})

test('after a reload with other targets only those count that are found anew', () => {
  const same: ToldEvent = { kind: 'reloaded', targets: 1, rules: 1 }
  assert.equal(after([looked, same]).processes.size, 1)
  assert.equal(after([looked, { ...same, isAnew: true }]).processes.size, 0)
})

test('what is sent to a bucket is in the state, in the status, and in its line where it cannot be', () => {
  const state = initialState({ version: '1', targets: 1, rules: 1, startedMs: NOW })
  const uploaded = { kind: 'uploaded', dump: 'api/1', place: 'http://s3/b', bytes: 3 } as const
  const away = nextServiceState(state, { ...uploaded, left: 2, problem: { detail: 'ECONNREFUSED' } }, NOW)
  assert.match(statusLine(away, NOW), /2 to be sent: ECONNREFUSED/)
  const own = { rssBytes: 1, cpuShare: 0 }
  assert.match(
    renderStatus(daemonStatus(away, NOW, own), NOW, plainStyle),
    /uploads +2 to be sent: ECONNREFUSED/,
  )
  const back = nextServiceState(away, { ...uploaded, left: 0 }, NOW)
  assert.doesNotMatch(statusLine(back, NOW), /to be sent/)
  assert.match(renderStatus(daemonStatus(back, NOW, own), NOW, plainStyle), /uploads +0 to be sent\n/)
})

test('a notice of a pod names it', () => {
  const container = { id: 'c', runtime: 'containerd', namespace: 'prod', pod: 'api-0' } as const
  const pod = watched(7, { container })
  const observed = { ...looked, observation: { ...looked.observation, appeared: [pod] } } as ToldEvent
  const state = nextServiceState(
    initialState({ version: '1', targets: 1, rules: 1, startedMs: NOW }),
    observed,
    NOW,
  )
  const [notice] = noticesOf(killed, state, place)
  assert.deepEqual([notice?.namespace, notice?.pod], ['prod', 'api-0'])
})
