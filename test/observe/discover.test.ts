import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Discoverer, type Discovery } from '../../src/observe/discover.ts'
import { createInspector, type InspectProcess } from '../../src/observe/python.ts'
import { copyMachine } from './proc-tree.ts'

const start = (procRoot: string, isIgnored: (pid: number) => boolean = () => false) => {
  const inspected: number[] = []
  const inspect = createInspector({ procRoot, passwdFile: '/nonexistent', bootId: 'boot' })
  const counting: InspectProcess = (pid) => {
    inspected.push(pid)
    return inspect(pid)
  }
  return {
    inspected,
    discoverer: new Discoverer({ procRoot, inspect: counting, inspectLimitMs: 5000, isIgnored }),
  }
}

const pids = ({ appeared, gone }: Discovery) => ({
  appeared: appeared.map(({ id }) => id.pid),
  gone: gone.map(({ id }) => id.pid),
})
const nothing = { appeared: [], gone: [] }

test('the first sweep finds all Python processes and nothing else', async () => {
  using machine = copyMachine()
  const { discoverer } = start(machine.proc)
  assert.deepEqual(pids(await discoverer.sweep()), { appeared: [101, 102, 106], gone: [] })
})

test('a Python process is looked into once; what has no executable never', async () => {
  using machine = copyMachine()
  const { discoverer, inspected } = start(machine.proc)
  for (let sweep = 0; sweep < 5; sweep++) await discoverer.sweep()
  assert.equal(inspected.filter((pid) => pid === 101).length, 1)
  assert.equal(inspected.includes(104), false)
  assert.equal(inspected.includes(105), false)
})

test('what is not Python is looked into ever more rarely, because libpython may be loaded late', async () => {
  using machine = copyMachine()
  const { discoverer, inspected } = start(machine.proc)
  for (let sweep = 0; sweep < 33; sweep++) await discoverer.sweep()
  assert.equal(inspected.filter((pid) => pid === 103).length, 7)
})

test('a process that loads libpython late appears', async () => {
  using machine = copyMachine()
  const { discoverer } = start(machine.proc)
  await discoverer.sweep()
  machine.write('103/maps', machine.read('102/maps'))
  assert.deepEqual(pids(await discoverer.sweep()), { appeared: [103], gone: [] })
})

test('a process that is gone is told once', async () => {
  using machine = copyMachine()
  const { discoverer } = start(machine.proc)
  await discoverer.sweep()
  machine.remove(101)
  machine.remove(103)
  assert.deepEqual(pids(await discoverer.sweep()), { appeared: [], gone: [101] })
  assert.deepEqual(pids(await discoverer.sweep()), nothing)
})

test('ignored pids are never looked at', async () => {
  using machine = copyMachine()
  const { discoverer } = start(machine.proc, (pid) => pid === 101)
  assert.deepEqual(pids(await discoverer.sweep()).appeared, [102, 106])
})

test('exec of another Python program under the same executable appears again', async () => {
  using machine = copyMachine()
  const { discoverer } = start(machine.proc)
  await discoverer.sweep()
  machine.write('101/stat', machine.read('101/stat').replace('140724822098512', '140000000000000'))
  machine.write('101/cmdline', 'python3\0other.py\0')
  const { appeared, gone } = await discoverer.sweep()
  assert.deepEqual(appeared[0]?.cmdline, ['python3', 'other.py'])
  assert.deepEqual(gone, [])
})

test('exec of something that is not Python is an end', async () => {
  using machine = copyMachine()
  const { discoverer } = start(machine.proc)
  await discoverer.sweep()
  machine.setExe(101, '/usr/bin/sleep', ['main'])
  assert.deepEqual(pids(await discoverer.sweep()), { appeared: [], gone: [101] })
})

test('a reused pid is another process', async () => {
  using machine = copyMachine()
  const { discoverer } = start(machine.proc)
  await discoverer.sweep()
  machine.write('101/stat', machine.read('101/stat').replace(' 226606 ', ' 999999 '))
  const { appeared, gone } = await discoverer.sweep()
  assert.deepEqual([appeared[0]?.id.startTicks, gone[0]?.id.startTicks], [999_999, 226_606])
})

test('a process that hangs its inspection holds up nobody, and two of them end the looking', async () => {
  using machine = copyMachine()
  machine.copy(103, 107)
  const inspect = createInspector({ procRoot: machine.proc, passwdFile: '/nonexistent', bootId: 'boot' })
  const hanging = new Set([101, 103])
  const never = new Promise<undefined>(() => {})
  const discoverer = new Discoverer({
    procRoot: machine.proc,
    inspect: (pid) => (hanging.has(pid) ? never : inspect(pid)),
    inspectLimitMs: 20,
    isIgnored: () => false,
  })
  const first = await discoverer.sweep()
  assert.deepEqual(pids(first), { appeared: [102], gone: [] })
  assert.equal(first.problems.length, 4)
})

test('a /proc that cannot be listed is a problem, not the end of all processes', async () => {
  using machine = copyMachine()
  const { discoverer } = start(machine.proc)
  await discoverer.sweep()
  machine.hide()
  const discovery = await discoverer.sweep()
  assert.deepEqual([pids(discovery), discovery.problems.length], [nothing, 1])
})
