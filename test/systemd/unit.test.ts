import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { execa } from 'execa'

const unit = new URL('../../systemd/pyheap-watchd.service', import.meta.url).pathname

test('systemd has nothing to say against the unit', async (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-unit-'))
  try {
    const copy = join(scratch, 'pyheap-watchd.service')
    copyFileSync(unit, copy)
    // What is to be verified is the unit, not whether the package is installed here.
    writeFileSync(copy, readFileSync(copy, 'utf8').replace('/usr/bin/pyheap-watchd', process.execPath))
    const { stderr, code } = await execa('systemd-analyze', ['verify', '--man=no', copy], { reject: false })
    if (code === 'ENOENT') return t.skip('systemd-analyze is not installed')
    const own = stderr.split('\n').filter((line) => line.includes('pyheap-watchd'))
    assert.deepEqual(own, [])
  } finally {
    rmSync(scratch, { recursive: true })
  }
})

test('a stop leaves time for a running capture, and signals nobody but the daemon', () => {
  const text = readFileSync(unit, 'utf8')
  assert.match(text, /^KillMode=mixed$/m)
  assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1]) >= 180)
})
