import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { initialState, nextServiceState } from '../../src/report/service-state.ts'
import type { ToldEvent } from '../../src/report/told-event.ts'
import { startMetrics } from '../../src/service/metrics-out.ts'
import { createMetrics } from '../../src/service/metrics.ts'
import { MiB, watched } from '../decide/virtual-day.ts'
import { dump, findings } from '../report/make-report.ts'

/** Metrics after these events, as lines without comments. */
async function after(events: readonly ToldEvent[]): Promise<readonly string[]> {
  let state = initialState({ version: '1', targets: 1, rules: 1, startedMs: 0 })
  const metrics = createMetrics(
    () => state,
    () => 1000,
  )
  for (const event of events) {
    metrics.count(event, state)
    state = nextServiceState(state, event, 1000)
  }
  return (await metrics.render()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

const one = watched(1)
const host = { totalBytes: 1, availableBytes: 1 }
const looked = (given: object = {}): ToldEvent => ({
  kind: 'observed',
  observation: {
    atMs: 0,
    samples: [1, 2].map((pid) => ({
      process: watched(pid).id,
      atMs: 0,
      rssBytes: pid * MiB,
      limit: { source: 'cgroup' as const, limitBytes: 10 * MiB, usedBytes: pid * MiB, where: '/' },
    })),
    appeared: [one, watched(2)],
    gone: [],
    host,
    ...given,
  },
})
const request = {
  kind: 'capture',
  process: one.id,
  fired: { rule: 'near', kind: 'limit' },
  alsoFired: [],
  capture: ['census'],
} as const
const published = { id: 'api/x', path: '/s/api/x', manifest: dump.manifest }
const captured: ToldEvent = { kind: 'finished', request, outcome: { kind: 'dumped', published, findings } }

test('processes of a target are summed up, and pids are no labels', async () => {
  const lines = await after([looked()])
  assert.ok(lines.includes('pyheap_target_processes{target="api"} 2'))
  assert.ok(lines.includes(`pyheap_target_rss_bytes{target="api"} ${3 * MiB}`))
  assert.ok(lines.includes(`pyheap_target_rss_max_bytes{target="api"} ${2 * MiB}`))
  assert.ok(lines.includes('pyheap_target_limit_ratio_max{target="api"} 0.2'))
  assert.doesNotMatch(lines.join('\n'), /pid=/)
})

test('a target whose processes have ended is no longer told', async () => {
  const lines = await after([looked(), looked({ samples: [], appeared: [], gone: [one.id, watched(2).id] })])
  assert.doesNotMatch(lines.join('\n'), /pyheap_target_rss_bytes\{/)
})

test('captures, failures and OOM kills are counted by what the configuration names', async () => {
  const refused: ToldEvent = {
    kind: 'finished',
    request,
    outcome: { kind: 'refused', outcome: { kind: 'failed', reason: 'already-traced', detail: '' } },
  }
  const killed = looked({
    samples: [],
    appeared: [],
    gone: [one.id],
    endings: [{ process: one.id, how: 'oom-killed', at: '2026-01-01T00:00:00.000Z' }],
  })
  const lines = await after([looked(), captured, refused, killed])
  assert.ok(lines.includes('pyheap_captures_total{target="api",rule="near",outcome="captured"} 1'))
  assert.ok(lines.includes('pyheap_captures_total{target="api",rule="near",outcome="refused"} 1'))
  assert.ok(lines.includes('pyheap_capture_failures_total{reason="already-traced"} 1'))
  assert.ok(lines.includes('pyheap_oom_kills_total{target="api",dumped="yes"} 1'))
  assert.ok(
    lines.some((line) => line.startsWith('pyheap_capture_pause_seconds_count') && line.endsWith(' 1')),
  )
})

test('what has not happened yet is there as nothing, so that the first time is an increase', async () => {
  const metrics = createMetrics(
    () => initialState({ version: '1', targets: 1, rules: 1, startedMs: 0 }),
    () => 0,
  )
  metrics.declare(
    ['api', 'web'],
    [
      { name: 'near', targets: ['*'] },
      { name: 'own', targets: ['web'] },
    ],
  )
  const text = await metrics.render()
  for (const pair of ['"api",rule="near"', '"web",rule="near"', '"web",rule="own"'])
    assert.ok(text.includes(`pyheap_captures_total{target=${pair},outcome="captured"} 0`), pair)
  assert.doesNotMatch(text, /"api",rule="own"/)
  assert.ok(text.includes('pyheap_oom_kills_total{target="web",dumped="no"} 0'))
})

test('a refused configuration, a pause and a low disk can be alerted on', async () => {
  const bad = await after([
    { kind: 'config-refused', problems: ['x'] },
    { kind: 'paused', forMs: 5000 },
    { kind: 'disk', dir: '/s', freeBytes: 5, isLow: true, isNews: true },
    { kind: 'delivered', to: 'w', what: 'oom', problem: 'down' },
  ])
  for (const line of [
    'pyheap_config_valid 0',
    'pyheap_paused 1',
    'pyheap_store_low 1',
    'pyheap_store_free_bytes 5',
    'pyheap_deliveries_total{to="w",result="failed"} 1',
    'pyheap_config_reloads_total{result="refused"} 1',
  ])
    assert.ok(bad.includes(line), line)
  const good = await after([
    { kind: 'config-refused', problems: ['x'] },
    { kind: 'reloaded', targets: 1, rules: 2 },
    { kind: 'paused', forMs: 0 },
  ])
  assert.ok(good.includes('pyheap_config_valid 1'))
  assert.ok(good.includes('pyheap_paused 0'))
})

test('they are written whole for the textfile collector, and served on a port of this machine', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-metrics-'))
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const textfile = join(scratch, 'm.prom')
  const metrics = { render: async () => 'pyheap_x 1\n' }
  const out = startMetrics({ textfile, listen: { host: '127.0.0.1', port } }, metrics, assert.fail)
  try {
    await sleep(100)
    assert.equal(readFileSync(textfile, 'utf8'), 'pyheap_x 1\n')
    assert.deepEqual(readdirSync(scratch), ['m.prom'])
    const served = await fetch(`http://127.0.0.1:${port}/metrics`)
    assert.equal(await served.text(), 'pyheap_x 1\n')
    assert.match(served.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.equal((await fetch(`http://127.0.0.1:${port}/status`)).status, 404)
    assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST', body: 'x' })).status, 404)
  } finally {
    out.close()
    rmSync(scratch, { recursive: true })
  }
})

test('what stands in their way is told once', async () => {
  const problems: string[] = []
  const metrics = { render: async () => '' }
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const out = startMetrics(
    { textfile: '/nowhere/m.prom', listen: { host: '127.0.0.1', port } },
    metrics,
    (problem) => problems.push(problem),
  )
  await sleep(100)
  out.close()
  taken.close()
  const text = problems.join(' ')
  assert.equal(problems.length, 2)
  assert.match(text, /ENOENT/)
  assert.match(text, /EADDRINUSE/)
})
