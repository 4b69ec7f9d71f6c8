import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import type { Census, Findings } from '../../src/model.ts'
import { RunningService, startTarget } from '../setup/service.ts'

const watchd = new URL('../../dist/pyheap-watchd.js', import.meta.url).pathname
const leak = new URL('../targets/leak.py', import.meta.url).pathname
const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
/** What allocates in that program, by far. */
const LEAKING_LINE =
  readFileSync(leak, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes('self.payload = ')) + 1

async function awaitDump(store: string): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const names = existsSync(join(store, 'leak')) ? readdirSync(join(store, 'leak')) : []
    const name = names.find((one) => one.endsWith('-second'))
    if (name !== undefined) return join(store, 'leak', name)
    await sleep(50)
  }
  throw new Error('no dump')
}

const readJson = (dump: string, name: string): unknown => JSON.parse(readFileSync(join(dump, name), 'utf8'))

test(
  'a first threshold starts tracemalloc, and the dump of a second names the line that leaks',
  { skip },
  async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-trace-'))
    const [config, store] = [join(scratch, 'config.yaml'), join(scratch, 'store')]
    writeFileSync(
      config,
      `store: { dir: ${store}, reserve: 16MiB }
sampling: { interval: 100ms, discovery: 200ms }
targets: [{ name: leak, match: { cmdline: 'targets/leak\\.py' } }]
baseline: off
rules:
  - { name: first, when: { rss: { above: 20MiB } }, for: 0s, action: trace, frames: 3 }
  - { name: second, when: { rss: { above: 90MiB } }, for: 0s }
`,
    )
    const service = await startTarget('/usr/bin/python3', 'leak', '10', '3')
    const daemon = new RunningService(process.execPath, [watchd, '--config', config])
    try {
      await daemon.said('started tracemalloc in the service')
      const dump = await awaitDump(store)
      assert.ok(service.isAlive)
      const line = daemon.output.split('\n').find((one) => one.includes('started tracemalloc')) ?? ''
      const told = JSON.parse(line) as { pid: number; rule: string; frames: number; before: number }
      assert.deepEqual([told.pid, told.rule, told.frames, told.before], [service.pid, 'first', 3, 0])
      const { allocations, complete, problems } = readJson(dump, 'census.json') as Census
      assert.ok(complete, problems.join())
      assert.equal(allocations?.frames, 3)
      const [top] = allocations.sites
      assert.deepEqual(top?.frames[0], { file: leak, line: LEAKING_LINE })
      assert.equal(top.frames.length, 2) // the main program called it
      assert.ok(top.bytes > 30 * 2 ** 20 && top.bytes < 100 * 2 ** 20, String(top.bytes))
      assert.ok(top.bytes > allocations.bytes * 0.9)
      const findings = readJson(dump, 'findings.json') as Findings
      assert.equal(findings.allocated?.[0]?.bytes, top.bytes)
      assert.match(findings.suspects[0]?.evidence.join('\n') ?? '', /allocated at targets\/leak\.py:\d+/)
    } finally {
      await daemon.stop()
      await service.stop()
      rmSync(scratch, { recursive: true })
    }
  },
)
