import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { defaultConfig } from '../../src/config/config.ts'
import { decide } from '../../src/decide/decide.ts'
import { emptyMemory, remember } from '../../src/decide/memory.ts'
import { createObserver } from '../../src/observe/observe.ts'
import { initialState, nextServiceState } from '../../src/report/service-state.ts'
import type { ToldEvent } from '../../src/report/told-event.ts'
import { createMetrics } from '../../src/service/metrics.ts'
import { copyMachine, fixtures } from '../observe/proc-tree.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heapBytes = (): number => {
  for (let times = 0; times < 3; times++) collect()
  return process.memoryUsage().heapUsed
}

test('processes that come and go by the thousand leave nothing behind', async () => {
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
  const sweep = async (number: number): Promise<void> => {
    for (const pid of passing) machine.remove(pid)
    passing = Array.from({ length: 30 }, (_, index) => 1000 + number * 30 + index)
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
  for (let number = 0; number < 30; number++) await sweep(number)
  const before = heapBytes()
  for (let number = 30; number < 150; number++) await sweep(number)
  const grownBytes = heapBytes() - before
  assert.ok(seen > 2000, `${seen} Python processes were met`)
  assert.ok(grownBytes < 2 ** 20, `the heap has grown by ${grownBytes} bytes`)
  assert.ok(memory.processes.size < 25 && state.processes.size < 25)
  const open = readdirSync('/proc/self/fd').length
  assert.ok(open < 80, `${open} descriptors are open`)
  observer.close()
})
