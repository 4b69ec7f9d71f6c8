import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { defaultConfig } from '../../src/config/config.ts'
import { decide } from '../../src/decide/decide.ts'
import { emptyMemory, remember } from '../../src/decide/memory.ts'
import { Replay, type ReplayEvent } from '../../src/decide/replay.ts'
import { levelsOf, type ProcessId, type PythonProcess } from '../../src/model.ts'
import { createObserver } from '../../src/observe/observe.ts'
import { initialState, nextServiceState } from '../../src/report/service-state.ts'
import type { ToldEvent } from '../../src/report/told-event.ts'
import { createMetrics } from '../../src/service/metrics.ts'
import { copyMachine, fixtures } from '../observe/proc-tree.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const slowLeak = defaultConfig.decide.rules.find(({ name }) => name === 'slow-leak') ?? assert.fail()

const processOf = (id: ProcessId): PythonProcess => ({
  id,
  parentPid: 1,
  exe: '/usr/bin/node',
  interpreter: '/usr/bin/node',
  cmdline: ['pyheap-watchd'],
  uid: 0,
  user: 'root',
  cgroup: '/',
})

const heapBytes = (): number => {
  for (let times = 0; times < 3; times++) collect()
  return process.memoryUsage().heapUsed
}

/** An hour of searches, every 5 s. */
const SWEEPS = 720
const STARTS = 12

test('an hour of processes that come and go leaves nothing behind, as the daemon sees itself', async () => {
  using machine = copyMachine()
  const observer = createObserver({
    procRoot: machine.proc,
    sysRoot: `${fixtures}/v1/sys`,
    passwdFile: '/nonexistent',
    endingOf: (process) => ({ process, how: 'oom-killed', at: '2026-11-21T10:00:00.000Z' }),
    pageBytes: 4096,
    targets: defaultConfig.targets,
    discoveryIntervalMs: 5000,
    isIgnored: () => false,
    isNear: () => true,
    mayRest: () => true,
    wants: () => ({
      swap: true,
      age: true,
      hostPressure: true,
      cgroupPressure: true,
      events: true,
      proportionalAboveBytes: 0,
    }),
    readHostMemory: async () => ({ totalBytes: 2 ** 34, availableBytes: 2 ** 33 }),
    history: { windowMs: 60_000, resolutionMs: 1000 },
  })
  let state = initialState({ version: '1', targets: 1, rules: 1, startedMs: 0 })
  const metrics = createMetrics(
    () => state,
    () => 0,
  )
  let memory = emptyMemory()
  const tell = (event: ToldEvent): void => {
    metrics.count(event, state)
    state = nextServiceState(state, event, 0)
  }
  let passing: number[] = []
  let seen = 0
  // The watch watches itself: by its own growth it would be captured for a leak, however young it is.
  const growth = levelsOf(slowLeak.when).find(({ kind }) => kind === 'growth')
  assert.ok(growth)
  const itself = new Replay({ ...defaultConfig.decide, rules: [{ ...slowLeak, when: growth }] })
  const watchItself = (atMs: number): readonly ReplayEvent[] => {
    const me = { bootId: 'b', pid: 7, startTicks: 1 }
    return itself.see({
      atMs,
      samples: [{ process: me, atMs, rssBytes: process.memoryUsage().rss }],
      appeared: atMs === 0 ? [{ ...processOf(me), target: 'watchd' }] : [],
      gone: [],
      host: { totalBytes: 2 ** 34, availableBytes: 2 ** 33 },
    })
  }
  const sweep = async (number: number): Promise<void> => {
    for (const pid of passing) machine.remove(pid)
    passing = Array.from({ length: STARTS }, (_, index) => 1000 + number * STARTS + index)
    for (const pid of passing) {
      machine.copy(pid % 2 === 0 ? 101 : 103, pid)
      machine.write(`${pid}/stat`, machine.read(`${pid}/stat`).replace(/^\d+ /, `${pid} `))
    }
    const observation = await observer.observe(number * 5000, undefined, true)
    seen += observation.appeared.length
    tell({ kind: 'observed', observation })
    memory = remember(memory, observation)
    const decision = decide(memory, { kind: 'interval' }, defaultConfig.decide, number * 5000)
    memory = decision.memory
    tell({ kind: 'decided', trigger: { kind: 'interval' }, ...decision })
    await metrics.render()
  }
  const captures: ReplayEvent[] = []
  const from = SWEEPS / 4
  for (let number = 0; number < from; number++) await sweep(number)
  const before = heapBytes()
  for (let number = from; number < SWEEPS; number++) {
    await sweep(number)
    captures.push(...watchItself((number - from) * 5000))
  }
  const grownBytes = heapBytes() - before
  assert.deepEqual(
    captures.filter((event) => event.kind === 'capture' && event.request.fired.kind !== 'baseline'),
    [],
  )
  assert.ok(seen > (SWEEPS * STARTS) / 3, `${seen} Python processes were met`)
  assert.ok(grownBytes < 2 ** 20, `the heap has grown by ${grownBytes} bytes`)
  assert.ok(memory.processes.size < 25 && state.processes.size < 25)
  const open = readdirSync('/proc/self/fd').length
  assert.ok(open < 80, `${open} descriptors are open`)
  observer.close()
})
