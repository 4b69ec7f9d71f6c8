import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { test } from 'node:test'
import { awaitDump } from '../setup/await-dump.ts'
import { createMemoryCgroup } from '../setup/memory-cgroup.ts'
import { pyheapctl } from '../setup/run-tool.ts'
import { RunningService, startTarget, strayProcesses } from '../setup/service.ts'

const LIMIT = 600 * 2 ** 20
const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname

test('a service that leaks 200 MB/s into a 600 MB limit leaves a complete dump behind when it is OOM-killed', async (t) => {
  const cgroup = createMemoryCgroup('pyheap-oom', LIMIT)
  if (!cgroup) return t.skip('needs a memory cgroup that may be written')
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-oom-'))
  const store = join(scratch, 'store')
  const config = join(scratch, 'config.yaml')
  writeFileSync(
    config,
    `store: { dir: ${store}, reserve: 16MiB }
sampling: { interval: 100ms, discovery: 200ms }
targets: [{ name: leak, match: { cmdline: 'targets/leak\\.py' } }]
rules: [{ name: near-limit, when: { limit: { above: 75% } }, for: 0s }]
baseline: off
`,
  )
  const daemon = new RunningService(process.execPath, [watchd, '--config', config])
  const service = await startTarget('/usr/bin/python3', 'leak', '200', '3')
  try {
    cgroup.add(service.pid)
    if (service.isAlive) await once(service.process, 'exit')
    assert.equal(service.process.signalCode, 'SIGKILL')
    assert.ok(cgroup.oomKills() > 0, 'the kernel has killed it for memory')
    const dump = await awaitDump(join(store, 'leak'))
    const manifest = JSON.parse(readFileSync(join(dump, 'dump.json'), 'utf8')) as Record<string, unknown>
    assert.equal(manifest['outcome'], 'captured', daemon.output)
    const census = JSON.parse(readFileSync(join(dump, 'census.json'), 'utf8')) as Record<string, unknown>
    assert.equal(census['complete'], true)
    const { out } = await pyheapctl('show', '--verdict', dump)
    assert.match(out, /module __main__: LEDGER \(list, [\d,]+ entries of Entry\)/)
    await daemon.said('process killed by the OOM killer')
    const whole = (await pyheapctl('show', dump)).out
    assert.match(
      whole.replaceAll(/\s+/g, ' '),
      /ended killed \S+ m?s after this capture began, by the OOM killer, for want of memory in its cgroup: /,
    )
    assert.match((await pyheapctl('list', '--store', store)).out, /OOM-killed [\d.]+ m?s later; /)
    await daemon.stop() // and with it the gdb that it keeps ready
    assert.deepEqual(strayProcesses(), [])
  } finally {
    await daemon.stop()
    await service.stop()
    await cgroup.remove()
    rmSync(scratch, { recursive: true })
  }
})
