import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { analyseGraph } from '../../src/analyse/graph/analyse-graph.ts'
import type { Captured } from '../../src/model.ts'
import { readGraph } from '../../src/store/graph/read-graph.ts'
import { captureProcess, captureSettings } from '../setup/capture.ts'
import { findPythons } from '../setup/interpreters.ts'
import { startTarget, strayProcesses } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'

/** Captures the graph of test/targets/graph.py into a folder of its own. */
async function withGraph(
  python: string,
  changes: { readonly reserveBytes?: number; readonly timeoutMs?: number },
  use: (captured: Captured, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pyheap-graph-'))
  const service = await startTarget(python, 'graph')
  const { reserveBytes = 0, ...settings } = changes
  try {
    const outcome = await captureProcess(
      service.pid,
      await captureSettings({
        ...settings,
        kinds: ['census', 'graph'],
        graph: { path: Promise.resolve(join(folder, 'graph.gz')), reserveBytes },
      }),
    )
    assert.ok(outcome.kind === 'captured', JSON.stringify(outcome))
    await use(outcome, folder)
    assert.deepEqual(strayProcesses(), [])
  } finally {
    await service.stop()
    rmSync(folder, { recursive: true })
  }
}

for (const { path, version } of findPythons())
  test(`CPython ${version}: a graph has all objects, and says what retains what`, { skip }, async () => {
    await withGraph(path, {}, async ({ census }, folder) => {
      assert.deepEqual(census.problems, [])
      assert.ok(census.complete)
      const read = await readGraph(folder, () => undefined)
      assert.ok(read.kind === 'graph', JSON.stringify(read))
      const { objects, bytes, reached, suspects } = analyseGraph(read.graph)
      assert.equal(objects, census.objects)
      assert.equal(reached, objects)
      assert.ok(Math.abs(bytes - census.bytes) <= census.bytes / 1000, `${bytes} and ${census.bytes}`)
      const found = suspects.map(({ kind, where, type }) => `${kind} ${where} ${type}`)
      assert.deepEqual(found.toSorted(), [
        'chain module __main__: HEAD tuple',
        'group module __main__: BY_USER[*] __main__.Shared',
        'object module __main__: SESSIONS[*].history list',
        'object module __main__: SLOTTED[*].queue list',
      ])
      const history = suspects.find(({ where }) => where.endsWith('.history'))
      assert.deepEqual(history?.holds[0]?.count, 3000)
      const chain = suspects.find(({ kind }) => kind === 'chain')
      assert.equal(chain?.count, 20_000)
      const group = suspects.find(({ kind }) => kind === 'group')
      assert.deepEqual(group?.holders.map(({ where, members }) => `${where} ${members}`).toSorted(), [
        'module __main__: BY_TIME 2000',
        'module __main__: BY_USER 2000',
      ])
    })
  })

test('a disk without room gets no graph, and the census stands', { skip }, async () => {
  await withGraph('/usr/bin/python3', { reserveBytes: Number.MAX_SAFE_INTEGER }, async (captured, folder) => {
    assert.ok(captured.census.objects > 10_000)
    assert.equal(captured.census.complete, false)
    assert.match(captured.census.problems.join(), /graph: the disk is full: \d+ bytes are free/)
    assert.equal(existsSync(join(folder, 'graph.gz')), false)
  })
})
