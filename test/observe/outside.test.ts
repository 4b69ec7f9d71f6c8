import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOutsideEvidence } from '../../src/observe/outside.ts'
import { createInspector } from '../../src/observe/python.ts'
import { copyMachine, fixtures } from './proc-tree.ts'

const read = async (
  tree: 'v1' | 'v2',
  before: (machine: ReturnType<typeof copyMachine>) => void = () => {},
) => {
  using machine = copyMachine()
  const python = await createInspector({ procRoot: machine.proc, passwdFile: '/nonexistent', bootId: 'b' })(
    101,
  )
  assert.ok(python)
  if (tree === 'v2') machine.write('self/mountinfo', '31 30 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n')
  before(machine)
  return readOutsideEvidence({
    procRoot: machine.proc,
    sysRoot: `${fixtures}/${tree}/sys`,
    process: python,
    history: [{ secondsAgo: 1, rssBytes: 2 }],
    takenAt: '2026-01-01T00:00:00.000Z',
  })
}

test('evidence is what the kernel says of the process, its limits, its cgroup and pressure', async () => {
  const evidence = await read('v2')
  assert.equal(evidence.takenAt, '2026-01-01T00:00:00.000Z')
  assert.match(evidence.status.VmRSS ?? '', /^\d+ kB$/)
  assert.equal(evidence.status.State, 'S (sleeping)')
  assert.deepEqual(
    evidence.limits.find(({ name }) => name === 'Max open files'),
    { name: 'Max open files', soft: '20000', hard: '20000' },
  )
  assert.equal(evidence.limits.length, 16)
  assert.equal(evidence.cgroup.path, '/system.slice/shop-api.service')
  assert.equal(evidence.cgroup.counters['memory.max'], 1_073_741_824)
  assert.equal(evidence.cgroup.counters['memory.stat:inactive_file'], 104_857_600)
  assert.equal(evidence.cgroup.counters['memory.events:high'], 7)
  assert.match(evidence.pressure.host ?? '', /^some avg10=0\.00/)
  assert.match(evidence.pressure.cgroup ?? '', /^some avg10=1\.50/)
  assert.deepEqual(evidence.history, [{ secondsAgo: 1, rssBytes: 2 }])
})

test('v1 tells in its own words', async () => {
  const { counters } = (await read('v1')).cgroup
  assert.equal(counters['memory.limit_in_bytes'], 1_073_741_824)
  assert.equal(counters['memory.failcnt'], 3)
  assert.equal(counters['memory.oom_control:oom_kill'], 1)
})

test('of a process that is gone there is what is left', async () => {
  const evidence = await read('v2', (machine) => machine.remove(101))
  assert.deepEqual([evidence.status, evidence.limits], [{}, []])
  assert.equal(evidence.cgroup.counters['memory.max'], 1_073_741_824)
})

test('what cannot be read is left out', async () => {
  const evidence = await read('v1', (machine) => {
    machine.write('self/mountinfo', '')
    machine.write('101/status', 'VmRSS:\n\nrubbish')
  })
  assert.deepEqual(evidence.cgroup.counters, {})
  assert.deepEqual(evidence.status, { VmRSS: '' })
  assert.equal('cgroup' in evidence.pressure, false)
})
