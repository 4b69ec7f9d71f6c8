import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSystemdTime } from '../../src/proc/systemd-time.ts'
import { parseUnits, silentUnits } from '../../src/service/unit-watchdog.ts'

/** As `systemctl show` of systemd 252 prints them. */
const SHOWN = `WatchdogUSec=12s
WatchdogTimestampMonotonic=25744019657
Id=shop.service
ActiveState=active

WatchdogUSec=0
WatchdogTimestampMonotonic=0
Id=plain.service
ActiveState=active

WatchdogUSec=1min 30s
WatchdogTimestampMonotonic=100
Id=ended.service
ActiveState=failed
`

test('units that run and have a watchdog are read', () =>
  assert.deepEqual(parseUnits(SHOWN), [
    { unit: 'shop.service', watchdogUs: 12_000_000, lastPingUs: 25_744_019_657 },
  ]))

test('a unit is silent after three quarters of its time, and never before its first word', () => {
  const unit = { unit: 'a', watchdogUs: 12_000_000, lastPingUs: 1_000_000 }
  assert.deepEqual(silentUnits([unit], 10_000_000), [])
  assert.deepEqual(silentUnits([unit], 10_000_001), [unit])
  assert.deepEqual(silentUnits([{ ...unit, lastPingUs: 0 }], 99_000_000), [])
})

for (const [text, ms] of [
  ['1min 30s', 90_000],
  ['20s', 20_000],
  ['500ms', 500],
  ['1h 2min 3.5s', 3_723_500],
  ['2d', 172_800_000],
  ['0', 0],
  ['infinity', undefined],
] as const)
  test(`systemd's ${text} is ${ms} ms`, () => assert.equal(parseSystemdTime(text), ms))
