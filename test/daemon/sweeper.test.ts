import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { createSweeper, isClockSteady } from '../../src/daemon/sweeper.ts'
import { listDumps } from '../../src/store/read-dumps.ts'
import { makeManifest } from '../store/make-manifest.ts'
import { makeStore } from '../store/make-store.ts'

const DAY_MS = 86_400_000
const start = { wallMs: 1_000_000, monotonicMs: 500 }

test('a clock that is set, forward or back, is noticed; one that is slewed is steady', () => {
  const later = (wallMs: number) => ({
    wallMs: start.wallMs + wallMs,
    monotonicMs: start.monotonicMs + 10_000,
  })
  assert.ok(isClockSteady(start, later(10_000)))
  assert.ok(isClockSteady(start, later(10_000 + 60_000)))
  assert.ok(!isClockSteady(start, later(400 * DAY_MS)))
  assert.ok(!isClockSteady(start, later(-2 * DAY_MS)))
})

test('ten thousand dumps are listed, and swept beside the loop, which goes on', async (context) => {
  const { dir } = await makeStore(context)
  for (let n = 0; n < 10_000; n++) {
    const target = `t${n % 100}`
    const at = new Date(Date.now() - DAY_MS + n * 1000).toISOString()
    const stamp = at.replace(/\.\d+Z/, 'Z').replaceAll(/[-:]/g, '')
    const folder = join(dir, target, `${stamp}-${n + 1}-r`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, 'dump.json'),
      JSON.stringify({ ...makeManifest({ target, started_at: at }), files: [] }),
    )
  }
  assert.equal((await listDumps(dir)).dumps.length, 10_000)
  assert.equal((await listDumps(dir, 't7', 8)).dumps.length, 1)
  const sweep = createSweeper(pino({ level: 'silent' }))
  const store = { dir, keepTotalBytes: 2 ** 40, keepAgeMs: 30 * DAY_MS, keepPerTarget: 95, reserveBytes: 0 }
  let longestMs = 0
  for (let times = 0; times < 3; times++) sweep({ store, upload: undefined })
  const count = (): number =>
    readdirSync(dir).reduce((sum, name) => sum + readdirSync(join(dir, name)).length, 0)
  for (let tries = 0; count() > 9500 && tries < 1000; tries++) {
    const began = performance.now()
    await sleep(50)
    longestMs = Math.max(longestMs, performance.now() - began)
  }
  assert.equal(count(), 9500)
  assert.ok(longestMs < 2000, `the loop stood still for ${longestMs} ms`)
})
