import { decide } from '../../src/decide/decide.ts'
import { emptyMemory, remember } from '../../src/decide/memory.ts'
import type { DecideConfig, Rule, Sample, WatchedProcess } from '../../src/model.ts'

const PROCESSES = 1000
const WARM_TURNS = 120
const TURNS = 60
const MIB = 2 ** 20

const process = (index: number): WatchedProcess => ({
  id: { bootId: 'b', pid: index + 1, startTicks: 1 },
  parentPid: 1,
  exe: '/usr/bin/python3',
  interpreter: '/usr/bin/python3',
  cmdline: ['python3', 'app.py'],
  uid: 0,
  user: 'root',
  cgroup: '/',
  target: 'python',
})

const rules = (count: number): readonly Rule[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `rule-${index}`,
    targets: ['*'],
    when: [
      { kind: 'rss', aboveBytes: 2 ** 40 + index, clearBelowBytes: 2 ** 40 } as const,
      { kind: 'limit', aboveShare: 0.99, clearBelowShare: 0.9 } as const,
      { kind: 'growth', aboveBytesPerMs: MIB, clearBelowBytesPerMs: MIB / 2, windowMs: 600_000 } as const,
    ][index % 3] ?? { kind: 'age', aboveMs: Infinity },
    forMs: 10_000,
    cooldownMs: 900_000,
    action: { kind: 'capture', capture: ['census'] },
  }))

/** CPU of one look at one process under so many rules, in microseconds: all are awake and change with every look. */
export function measureDecide(count: number): number {
  const config: DecideConfig = {
    rules: rules(count),
    perProcess: { max: 10, windowMs: 3_600_000 },
    perTarget: { max: 10, windowMs: 3_600_000 },
    baselineAfterMs: undefined,
  }
  const processes = Array.from({ length: PROCESSES }, (_, index) => process(index))
  const limit = { source: 'host', limitBytes: 2 ** 34, usedBytes: 2 ** 33, where: 'host' } as const
  let memory = emptyMemory()
  let began = globalThis.process.cpuUsage()
  for (let turn = 0; turn < WARM_TURNS + TURNS; turn++) {
    if (turn === WARM_TURNS) began = globalThis.process.cpuUsage()
    const atMs = turn * 1000
    const samples = processes.map(({ id }): Sample => ({
      process: id,
      atMs,
      rssBytes: MIB * (100 + ((turn * 7 + id.pid) % 13)),
      limit,
    }))
    memory = remember(memory, {
      atMs,
      samples,
      appeared: turn === 0 ? processes : [],
      gone: [],
      host: { totalBytes: 2 ** 34, availableBytes: 2 ** 33 },
    })
    memory = decide(memory, { kind: 'interval' }, config, atMs).memory
  }
  const { user, system } = globalThis.process.cpuUsage(began)
  return (user + system) / TURNS / PROCESSES
}
