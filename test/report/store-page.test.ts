import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installation } from '../../src/installation.ts'
import { readPageAssets } from '../../src/read-page-assets.ts'
import { renderStorePage, renderTargetPage } from '../../src/report/html/store-page.ts'
import type { ListedDump } from '../../src/report/list-text.ts'
import { makeManifest } from '../store/make-manifest.ts'

const assets = readPageAssets(installation.page)
const hostile = `"><script>alert(1)</script>`

const dumpAt = (minute: number, given: Partial<ListedDump> = {}): ListedDump => ({
  id: `api/20261121T${String(1000 + minute)}00Z-42-rss-high`,
  manifest: {
    ...makeManifest({
      started_at: `2026-11-21T10:${String(minute).padStart(2, '0')}:00.000Z`,
      rss_bytes: minute * 1e8,
    }),
    files: [],
  },
  headline: `RSS ${minute}`,
  ...given,
})

const ending = {
  process: { bootId: 'b', pid: 42, startTicks: 1 },
  how: 'oom-killed',
  at: '2026-11-21T10:31:00.000Z',
} as const

test('each target has one row, with how its newest process ended', () => {
  const page = renderStorePage([dumpAt(30, { ending }), dumpAt(10), { ...dumpAt(5), id: 'worker/x' }], assets)
  assert.equal(page.match(/href="\/target\/api"/g)?.length, 1)
  assert.match(page, /href="\/target\/worker"/)
  assert.match(page, /OOM-killed/)
})

test('the timeline joins the dumps of one process, and marks its end', () => {
  const page = renderTargetPage('api', [dumpAt(30, { ending }), dumpAt(20), dumpAt(10)], assets)
  assert.equal(page.match(/<polyline/g)?.length, 1)
  assert.equal(page.match(/<circle/g)?.length, 3)
  assert.match(page, /✕ OOM/)
})

test('names of targets, rules and headlines are text', () => {
  const evil = { ...dumpAt(10), id: `${hostile}/x`, headline: hostile }
  for (const page of [renderStorePage([evil], assets), renderTargetPage(hostile, [evil, evil], assets)])
    assert.ok(!page.includes('<script>alert'), 'a name is markup')
})
