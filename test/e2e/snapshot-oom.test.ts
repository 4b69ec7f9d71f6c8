import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Census, DumpManifest, Findings } from '../../src/model.ts'
import { awaitDump } from '../setup/await-dump.ts'
import { memoryCgroupVersion } from '../setup/memory-cgroup.ts'
import { pyheapctl } from '../setup/run-tool.ts'
import { RunningService, startTarget } from '../setup/service.ts'

const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname

const version = memoryCgroupVersion()

// Too little for a Python to say a word, and enough for the first words but not for a walk through the heap.
for (const [limit, when, isSilent] of [
  ['2MiB', 'before it has told anything leaves the evidence from outside', true],
  ['8MiB', 'in the middle of the heap has told enough', false],
] as const)
  test(`a snapshot that is OOM-killed ${when}, and costs no service (cgroup v${version ?? '?'})`, async (t) => {
    if (process.getuid?.() !== 0) return t.skip('needs root, to trace processes')
    if (version === undefined) return t.skip('needs a memory cgroup, v1 or v2')
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-snapshot-oom-'))
    const store = join(scratch, 'store')
    const config = join(scratch, 'config.yaml')
    writeFileSync(config, configText(store, limit))
    const service = await startTarget('/usr/bin/python3', 'heap', '1000000')
    const daemon = new RunningService(process.execPath, [watchd, '--config', config])
    try {
      const dump = await awaitDump(join(store, 'heap'))
      await daemon.said('dump published')
      const manifest = readJson(join(dump, 'dump.json')) as DumpManifest
      assert.equal(manifest.complete, false)
      assert.match(daemon.output, /"level":"?(warn|40)"?.*snapshot-oom-killed/)
      const { out } = await pyheapctl('show', dump)
      if (isSilent) {
        assert.equal(manifest.outcome, 'outside-only', daemon.output)
        assert.equal(manifest.failure?.reason, 'snapshot-oom-killed', daemon.output)
        assert.match(out, /failed +snapshot-oom-killed/)
      } else {
        assert.equal(manifest.outcome, 'captured', daemon.output)
        assert.equal(manifest.truncated?.reason, 'snapshot-oom-killed', daemon.output)
        const census = readJson(join(dump, 'census.json')) as Census
        assert.equal(census.complete, false)
        assert.ok(census.types.length > 0)
        assert.ok(census.stacks.some(({ isMain }) => isMain))
        const { headline } = readJson(join(dump, 'findings.json')) as Findings
        assert.match(headline, /This dump is truncated: the kernel's OOM killer has ended the snapshot/)
        assert.match(out, /truncated +snapshot-oom-killed/)
      }
      assert.ok(service.isAlive)
    } finally {
      await daemon.stop()
      const report = JSON.parse((await service.stop()).trim().split('\n').at(-1) ?? '') as { bad: string[] }
      rmSync(scratch, { recursive: true })
      assert.deepEqual(report.bad, [])
    }
  })

const configText = (store: string, limit: string): string => `store: { dir: ${store}, reserve: 16MiB }
sampling: { interval: 100ms, discovery: 200ms }
targets: [{ name: heap, match: { cmdline: 'targets/heap\\.py' } }]
rules: [{ name: big, when: { rss: { above: 50MiB } }, for: 0s }]
baseline: off
capture: { memory_limit: ${limit} }
`

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
