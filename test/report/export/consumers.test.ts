import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { execa } from 'execa'
import type { GraphFindings } from '../../../src/model.ts'
import { loadInDevTools, pprofProgram, retainedByMemlab, withoutConsumers } from '../../setup/consumers.ts'
import { pyheapctl } from '../../setup/run-tool.ts'
import { startTarget } from '../../setup/service.ts'

const skip = process.getuid?.() === 0 ? withoutConsumers : 'needs root, to trace processes'
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-consumers-'))
after(() => rmSync(scratch, { recursive: true }))

let graph: GraphFindings | undefined
const exported = async (format: string, ...more: readonly string[]): Promise<string> => {
  const file = join(scratch, `dump.${format}`)
  const store = join(scratch, 'store')
  const { code, err } = await pyheapctl(
    'export',
    'latest',
    '--store',
    store,
    '--format',
    format,
    '-o',
    file,
    ...more,
  )
  assert.equal(code, 0, err)
  return file
}

before(async () => {
  if (skip !== false) return
  const service = await startTarget('/usr/bin/python3', 'graph')
  const store = join(scratch, 'store')
  try {
    const { code, err } = await pyheapctl('capture', String(service.pid), '--with', 'graph', '--store', store)
    assert.equal(code, 0, err)
  } finally {
    await service.stop()
  }
  graph = JSON.parse((await pyheapctl('graph', '--json', '--store', store)).out) as GraphFindings
})

test("Chrome's DevTools load the heapsnapshot, and retain what we do", { skip }, async () => {
  const file = await exported('heapsnapshot')
  const { nodeCount, totalSize, aggregates } = await loadInDevTools(readFileSync(file, 'utf8'), scratch)
  assert.ok(graph)
  assert.ok(nodeCount >= graph.objects)
  assert.equal(totalSize, graph.bytes)
  for (const type of ['__main__.Shared', '__main__.Session', 'bytearray']) {
    const ours: GraphFindings['types'][number] | undefined = graph.types.find((row) => row.type === type)
    const theirs = aggregates.find(({ name }) => name === type)
    assert.equal(theirs?.count, ours?.count, type)
    assert.equal(theirs?.maxRet, ours?.retainedBytes, type)
  }
})

test('memlab loads it too, and one of fewer nodes', { skip }, async () => {
  assert.ok(graph)
  const largest = graph.suspects.find(({ where }) => where.endsWith('.history'))?.retainedBytes
  for (const nodes of ['2000000', '500']) {
    const file = await exported('heapsnapshot', '--nodes', nodes)
    assert.ok((await retainedByMemlab(file, 'list')).includes(largest ?? NaN), nodes)
  }
})

test("Go's pprof reads the profile", { skip }, async () => {
  const file = await exported('pprof')
  const { stdout } = await execa(pprofProgram(), ['-top', '-unit=B', file])
  const bytes = /^ *(\d+)B .* bytearray$/m.exec(stdout)?.[1]
  assert.equal(Number(bytes), graph?.types.find(({ type }) => type === 'bytearray')?.bytes, stdout)
  const { stdout: traces } = await execa(pprofProgram(), ['-traces', file])
  assert.match(traces, /type: +__main__\.Shared\n[^\n]*__main__\.Shared\n +BY_USER\n +__main__\n +module/)
})
