import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pyheapctl } from '../setup/run-tool.ts'
import { startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'

test(
  'a dump in an archive can be shown, reported and worked through as one in a store',
  { skip },
  async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-collect-test-'))
    const store = join(scratch, 'store')
    const archive = join(scratch, 'ticket.tar.gz')
    const service = await startTarget('/usr/bin/python3', 'graph', '--api-key=hunter22')
    try {
      const captured = await pyheapctl('capture', String(service.pid), '--with', 'graph', '--store', store)
      assert.equal(captured.code, 0, captured.err)
      const collected = await pyheapctl('collect', 'latest', '-o', archive, '--store', store)
      assert.deepEqual([collected.code, collected.out.trim()], [0, archive], collected.err)
      assert.match(collected.err, /secrets taken out: 1/)
      const shown = await pyheapctl('show', '--store', archive)
      assert.match(shown.out, /--api-key=\[redacted\]/)
      assert.doesNotMatch(shown.out, /hunter22/)
      const page = await pyheapctl('report', '--html', '-', '--store', archive)
      assert.match(page.out, /^<!doctype html>/i)
      assert.doesNotMatch(page.out, /hunter22/)
      assert.match((await pyheapctl('graph', '--store', archive)).out, /SESSIONS\[\*\]\.history/)
      const again = await pyheapctl('collect', 'latest', '-o', archive, '--store', store)
      assert.equal(again.code, 9, again.err)
    } finally {
      await service.stop()
      rmSync(scratch, { recursive: true })
    }
  },
)
