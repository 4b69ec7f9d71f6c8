import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { WantedExtras } from '../../src/model.ts'
import { ExtrasReader, parsePressure, parseRollup } from '../../src/observe/extras.ts'
import { readStat } from '../setup/service.ts'

const nothing: WantedExtras = {
  swap: false,
  age: false,
  hostPressure: false,
  cgroupPressure: false,
  events: false,
  proportionalAboveBytes: undefined,
}
const all: WantedExtras = {
  swap: true,
  age: true,
  hostPressure: true,
  cgroupPressure: true,
  events: true,
  proportionalAboveBytes: 10,
}
const id = { bootId: 'b', pid: 7, startTicks: 500 }

/** As Linux 6.18 prints them. */
const PSI = `some avg10=12.50 avg60=3.00 avg300=0.50 total=123456
full avg10=1.00 avg60=0.00 avg300=0.00 total=99
`
const ROLLUP = `55d0c0000000-7ffc00000000 ---p 00000000 00:00 0                          [rollup]
Rss:               10240 kB
Pss:                4096 kB
Pss_Anon:           2048 kB
Private_Clean:       512 kB
Private_Dirty:      2048 kB
`

type Files = Readonly<Record<string, string>>

function inMachine(files: Files, act: (reader: ExtrasReader, write: (files: Files) => void) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'pyheap-extras-'))
  const write = (given: Files): void => {
    for (const [file, text] of Object.entries(given)) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), text)
    }
  }
  try {
    write(files)
    act(new ExtrasReader({ procRoot: join(root, 'proc'), sysRoot: join(root, 'sys') }), write)
  } finally {
    rmSync(root, { recursive: true })
  }
}

const V2: Files = {
  'proc/self/mountinfo': '30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  'proc/7/cgroup': '0::/api.service\n',
  'proc/7/status': 'Name:\tpython3\nVmSwap:\t    2048 kB\n',
  'proc/7/smaps_rollup': ROLLUP,
  'proc/uptime': '65.00 100.00\n',
  'proc/pressure/memory': PSI.replace('12.50', '40.00'),
  'sys/fs/cgroup/api.service/memory.pressure': PSI,
  'sys/fs/cgroup/api.service/memory.events': 'low 0\nhigh 5\nmax 7\noom 1\noom_kill 2\noom_group_kill 0\n',
}

test('cgroup v2: everything that is wanted is read', () =>
  inMachine(V2, (reader) => {
    const extras = reader.read(id, 100, all, 0)
    assert.equal(extras?.swapBytes, 2048 * 1024)
    assert.equal(extras.ageMs, 60_000)
    assert.deepEqual([extras.pssBytes, extras.ussBytes], [4096 * 1024, 2560 * 1024])
    assert.deepEqual(extras.pressure?.cgroup?.some, { '10s': 0.125, '1m': 0.03, '5m': 0.005 })
    assert.equal(extras.pressure.host?.some['10s'], 0.4)
    assert.deepEqual(extras.events, { high: 5, max: 7, oom_kill: 2 })
  }))

test('nothing is read that nobody wants, and no rollup of a smaller process', () =>
  inMachine(V2, (reader) => {
    assert.equal(reader.read(id, 100, nothing, 0), undefined)
    assert.equal(reader.read(id, 10, { ...nothing, proportionalAboveBytes: 10 }, 0), undefined)
  }))

test('the rollup is read once a minute, cgroups once a sweep', () =>
  inMachine(V2, (reader, write) => {
    reader.read(id, 100, all, 0)
    write({
      'proc/7/smaps_rollup': ROLLUP.replace('4096', '8192'),
      'sys/fs/cgroup/api.service/memory.events': 'high 6\n',
    })
    assert.equal(reader.read(id, 100, all, 59_000)?.pssBytes, 4096 * 1024)
    assert.equal(reader.read(id, 100, all, 59_000)?.events?.high, 5)
    reader.beginSweep()
    const later = reader.read(id, 100, all, 60_000)
    assert.deepEqual([later?.pssBytes, later?.events?.high], [8192 * 1024, 6])
  }))

test('cgroup v1 beside v2: pressure of the one, counts of the other', () =>
  inMachine(
    {
      ...V2,
      'proc/self/mountinfo':
        '30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
      'proc/7/cgroup': '4:memory:/api.slice\n1:name=systemd:/api.service\n0::/api.service\n',
      'sys/fs/cgroup/memory/api.slice/memory.failcnt': '42\n',
      'sys/fs/cgroup/memory/api.slice/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
      'sys/fs/cgroup/unified/api.service/memory.pressure': PSI,
    },
    (reader) => {
      const extras = reader.read(id, 0, all, 0)
      assert.deepEqual(extras?.events, { max: 42, oom_kill: 3 })
      assert.equal(extras.pressure?.cgroup?.full['10s'], 0.01)
    },
  ))

test('what the kernel does not tell is left out', () =>
  inMachine({ 'proc/self/mountinfo': '' }, (reader) => {
    const extras = reader.read(id, 100, all, 0)
    assert.deepEqual(extras?.pressure, {})
    assert.deepEqual(
      [extras.events, extras.swapBytes, extras.ageMs, extras.pssBytes],
      [undefined, undefined, undefined, undefined],
    )
  }))

test('text that is something else is nothing', () => {
  for (const text of ['', 'some avg10=x', 'full avg10=1.00 avg60=0.00 avg300=0.00 total=1\n'])
    assert.equal(parsePressure(text), undefined, text)
  assert.deepEqual(parseRollup('Pss: much\n'), {})
})

test('of a real process of this machine the age and the rollup are what they should be', () => {
  const reader = new ExtrasReader({ procRoot: '/proc', sysRoot: '/sys' })
  const startTicks = Number(
    readStat(process.pid).slice(readStat(process.pid).lastIndexOf(')')).split(' ')[20],
  )
  const extras = reader.read({ bootId: 'b', pid: process.pid, startTicks }, 1000, all, 0)
  assert.ok(Math.abs((extras?.ageMs ?? 0) - process.uptime() * 1000) < 2000, `${extras?.ageMs}`)
  const rss = process.memoryUsage.rss()
  assert.ok((extras?.pssBytes ?? 0) > rss / 10 && (extras?.pssBytes ?? 0) <= rss * 1.2)
  assert.ok((extras?.ussBytes ?? Infinity) <= (extras?.pssBytes ?? 0))
})
