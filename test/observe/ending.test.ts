import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { endingOf } from '../../src/observe/ending.ts'
import { KernelLog } from '../../src/observe/kernel-log.ts'
import { parseOomKill } from '../../src/observe/oom-kill.ts'
import { identify } from '../setup/capture.ts'

const gone = { bootId: 'b', pid: 4_194_305, startTicks: 1 } // more than any pid can be
const now = () => ({ monotonicUs: 100_000_000, wallMs: Date.parse('2026-11-21T10:00:00.000Z') })
const killedAt = (atUs: number) => () =>
  parseOomKill(`3,1,${atUs},-;Killed process 9 (x) total-vm:4kB, anon-rss:3kB, file-rss:2kB, shmem-rss:1kB`)

test('a process that the kernel has just killed was killed when the kernel says so', () => {
  const ending = endingOf(gone, { procRoot: '/proc', killOf: killedAt(98_600_000), now })
  assert.equal(ending.how, 'oom-killed')
  assert.equal(ending.at, '2026-11-21T09:59:58.600Z')
  assert.equal(ending.oom?.anonBytes, 3072)
})

test('a kill of long ago was of another process with the same pid', () => {
  const ending = endingOf(gone, { procRoot: '/proc', killOf: killedAt(1), now })
  assert.deepEqual(ending, { process: gone, how: 'ended', at: '2026-11-21T10:00:00.000Z' })
})

test('a process that lives and is watched no more runs another program', async () => {
  const sleeper = spawn('sleep', ['60'])
  await once(sleeper, 'spawn')
  try {
    const sources = { procRoot: '/proc', killOf: () => undefined, now }
    assert.equal(endingOf(identify(sleeper.pid ?? 0), sources).how, 'replaced')
  } finally {
    sleeper.kill('SIGKILL')
  }
})

test('a log that may not be read, or is none, tells of no kills', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pyheap-kmsg-'))
  const file = join(folder, 'kmsg')
  writeFileSync(file, 'no record at all\n'.repeat(10_000))
  for (const path of [file, join(folder, 'missing'), folder]) {
    const log = new KernelLog(path)
    assert.equal(log.killOf(1), undefined)
    log.close()
  }
  rmSync(folder, { recursive: true })
})
