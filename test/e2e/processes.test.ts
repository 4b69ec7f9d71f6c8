import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pyheapctl } from '../setup/run-tool.ts'
import { startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to look at processes'

test('ps and top tell how near a process is to the nearest rule', { skip }, async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-processes-'))
  const config = join(scratch, 'config.yaml')
  writeFileSync(
    config,
    `targets:
  - { name: heap, match: { cmdline: 'targets/heap.py 4711' } }
rules:
  - { name: far, when: { rss: { above: 100GiB } } }
  - { name: passed, when: { rss: { above: 1MiB } } }
`,
  )
  const service = await startTarget('/usr/bin/python3', 'heap', '4711')
  try {
    const { code, out } = await pyheapctl('ps', '--json', '--config', config)
    assert.equal(code, 0)
    const [row, ...others] = JSON.parse(out) as {
      readonly pid: number
      readonly target: string
      readonly rssBytes: number
      readonly nearest: { readonly rule: string; readonly need: number }
    }[]
    assert.deepEqual(others, [])
    assert.deepEqual([row?.pid, row?.target, row?.nearest.rule], [service.pid, 'heap', 'passed'])
    assert.ok(row && row.rssBytes > 2 ** 20 && row.nearest.need > 1)
    const top = await pyheapctl('top', '-n', '6', '-d', '0.1', '--config', config)
    const tables = top.out.split(/^ *pid /m).slice(1)
    assert.equal(tables.length, 6, top.out)
    assert.match(tables[5] ?? '', new RegExp(`${service.pid} +heap .* 0 +passed \\d+ %`))
    const explained = await pyheapctl('explain', String(service.pid), '--config', config)
    assert.match(explained.out, /^passed .* over it, not for long enough$/m)
    assert.match(explained.out, /^far .* not there yet$/m)
    assert.equal((await pyheapctl('explain', '1', '--config', config)).code, 3)
    const bad = await pyheapctl('top', '-d', 'often', '--config', config)
    assert.equal(bad.code, 2)
  } finally {
    await service.stop()
    rmSync(scratch, { recursive: true })
  }
})
