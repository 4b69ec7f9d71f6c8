import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { installation } from '../../src/installation.ts'
import { parseCollection, traceCollections } from '../../src/observe/trace-collections.ts'
import { execaSync } from 'execa'
import { RunningService } from '../setup/service.ts'
import { whyNoTracing } from '../setup/tracing.ts'

const skip = whyNoTracing('bpftrace')
const listen = { procRoot: '/proc', program: join(installation.bpf, 'python-gc.bt'), forMs: 1500 }
const real = (path: string): string => execaSync('readlink', ['-f', path]).stdout

async function withPython(program: string, act: (pid: number) => Promise<void>): Promise<void> {
  const service = new RunningService('/usr/bin/python3', ['-u', '-c', program])
  try {
    await service.said('ready')
    await act(service.pid)
  } finally {
    service.process.kill('SIGKILL')
    await service.stop()
  }
}

test('collections of one process are heard, with what they found', { skip }, () =>
  withPython(
    `import gc, time
print("ready")
while True:
    for _ in range(100):
        cycle = []; cycle.append(cycle)
    gc.collect(); time.sleep(0.05)`,
    async (pid) => {
      const heard = await traceCollections({ ...listen, pid, interpreter: real('/usr/bin/python3') })
      assert.ok(heard.kind === 'traced', JSON.stringify(heard))
      const old = heard.collections.filter(({ generation }) => generation === 2)
      assert.ok(old.length > 5 && heard.ms >= 1500)
      assert.ok(old.every(({ unreachable, microseconds }) => unreachable >= 99 && microseconds > 0))
    },
  ),
)

test('a file without probes is told as that, and a name that is no file name is not tried', { skip }, () =>
  withPython('print("ready"); import time; time.sleep(60)', async (pid) => {
    const without = await traceCollections({ ...listen, pid, interpreter: real('/usr/bin/cat') })
    assert.ok(without.kind === 'failed' && without.detail !== '', JSON.stringify(without))
    const odd = await traceCollections({ ...listen, pid, interpreter: '/usr/bin/a:b { system("x") }' })
    assert.ok(odd.kind === 'failed' && odd.detail.includes('is no name for bpftrace'))
  }),
)

test('lines of python-gc.bt are read, and others are not', () => {
  assert.deepEqual(parseCollection('12034      4242     gc generation 2     15210 us  7 unreachable'), {
    atMs: 12_034,
    generation: 2,
    microseconds: 15_210,
    unreachable: 7,
  })
  for (const line of ['', 'Attaching 2 probes...', '@us[4242]:', '1 2 gc generation x 1 us 1 unreachable'])
    assert.equal(parseCollection(line), undefined)
})
