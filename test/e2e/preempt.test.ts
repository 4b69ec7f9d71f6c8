import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { listDumps, readDump } from '../../src/store/read-dumps.ts'
import { becomes } from '../setup/becomes.ts'
import { RunningService } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname

const LARGE = `import time
HEAP = [{number: str(number)} for number in range(3_000_000)]
print("ready", flush=True)
while True: time.sleep(0.01)`

const URGENT = `import resource, signal, time
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
PILE = []
signal.signal(signal.SIGUSR1, lambda *_: PILE.append([b"%d" % n * 40000 for n in range(3000)]))
print("ready", flush=True)
while True: time.sleep(0.01)`

test('who is about to run out of memory does not wait for the graph of somebody else', { skip }, async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-preempt-'))
  const store = join(scratch, 'store')
  writeFileSync(
    join(scratch, 'config.yaml'),
    `store: { dir: ${store}, reserve: 16MiB }
sampling: { interval: 200ms, discovery: 500ms }
daemon: { socket: ${scratch}/control.sock }
targets:
  - { name: large, match: { cmdline: 'HEAP = .*3_000_000' } }
  - { name: urgent, match: { cmdline: 'PILE = ' } }
rules:
  - { name: big, targets: [large], when: { rss: { above: 300MiB } }, for: 0s, capture: [census, graph] }
  - { name: near-limit, targets: [urgent], when: { limit: { above: 40% } }, for: 0s }
limits: { spacing: 0s }
baseline: off
`,
  )
  const urgent = new RunningService('/usr/bin/python3', ['-c', URGENT])
  const daemon = new RunningService(process.execPath, [watchd, '--config', join(scratch, 'config.yaml')])
  await urgent.said('ready')
  await daemon.said('"target":"urgent"')
  const large = new RunningService('/usr/bin/python3', ['-c', LARGE])
  try {
    await daemon.said('capture begins', 60_000)
    process.kill(urgent.pid, 'SIGUSR1')
    await becomes(
      async () => (await listDumps(store)).dumps.length >= 2 || undefined,
      60_000,
      () => daemon.output,
    )
    const { dumps } = await listDumps(store)
    const first = dumps.find(({ manifest }) => manifest.target === 'large')
    const second = dumps.find(({ manifest }) => manifest.target === 'urgent')
    assert.ok(first && second)
    const read = await readDump(first.path)
    assert.ok(read.kind === 'read')
    const told = JSON.stringify([read.dump.manifest.truncated, read.dump.census?.problems])
    assert.match(told, new RegExp(`near-limit of process ${urgent.pid} could not wait for its end`))
    assert.equal(first.manifest.complete, false)
    assert.equal(second.manifest.complete, true)
    for (const service of [large, urgent]) assert.ok(service.isAlive)
  } finally {
    for (const service of [large, urgent]) {
      service.process.kill('SIGKILL')
      await service.stop()
    }
    await daemon.stop()
    rmSync(scratch, { recursive: true })
  }
})
