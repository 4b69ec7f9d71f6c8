import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { execa } from 'execa'
import { RunningService } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const dist = new URL('../../dist/', import.meta.url).pathname

const LEAK = `import time
HELD = []
print('ready', flush=True)
while True:
    HELD.extend(bytearray(10000) for _ in range(100))
    time.sleep(0.1)
`

test(
  'what the daemon records is replayed with other rules, and tells what these would have done',
  { skip },
  async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-replay-'))
    const record = join(scratch, 'samples.ndjson')
    const config = (name: string, rules: string): string => {
      const file = join(scratch, name)
      writeFileSync(
        file,
        `store: { dir: ${join(scratch, 'store')}, reserve: 16MiB }
sampling: { interval: 200ms, discovery: 400ms, probe: off, record: ${record} }
targets: [{ name: leaky, match: { cmdline: 'HELD' } }]
rules: [${rules}]
baseline: off
daemon: { socket: ${join(scratch, 'run', 's')} }
`,
      )
      return file
    }
    const daemon = new RunningService(process.execPath, [
      join(dist, 'pyheap-watchd.js'),
      '--config',
      config('calm.yaml', '{ name: high, when: { rss: { above: 100GiB } } }'),
    ])
    const leak = new RunningService('/usr/bin/python3', ['-c', LEAK])
    try {
      await leak.said('ready')
      await daemon.said('process found')
      await new Promise((resolve) => setTimeout(resolve, 6000))
      await leak.stop()
      await daemon.said('process gone')
    } finally {
      await daemon.stop()
      await leak.stop()
    }
    try {
      assert.equal(statSync(record).mode & 0o777, 0o640)
      assert.match(readFileSync(record, 'utf8').split('\n')[0] ?? '', /^\{"at":\d+/)
      const pyheapctl = (...args: readonly string[]) =>
        execa(process.execPath, [join(dist, 'pyheapctl.js'), 'replay', ...args], { reject: false })
      const quiet = await pyheapctl(record, '--config', join(scratch, 'calm.yaml'))
      assert.match(quiet.stdout, /nothing would have been captured\n\n0 captures in [\d.]+ s, 1 processes/)
      const strict = config(
        'strict.yaml',
        '{ name: steps, when: { rss: { steps: [30MiB, 40MiB] } }, for: 0s, cooldown: 0s }',
      )
      const told = await pyheapctl(record, '--config', strict)
      assert.match(
        told.stdout,
        /leaky +\d+ +3\d(?:\.\d)? MiB +steps: steps 3\d(?:\.\d)? MiB, threshold 30 MiB/,
      )
      assert.match(told.stdout, /\n\d captures in/)
      const json = await pyheapctl(record, '--config', strict, '--json')
      const { events } = JSON.parse(json.stdout) as {
        events: { kind: string; fired: { threshold: number } }[]
      }
      assert.deepEqual(
        events.map(({ fired }) => fired.threshold / 2 ** 20),
        [30, 40],
      )
      writeFileSync(record, 'nonsense')
      const broken = await pyheapctl(record, '--config', strict)
      assert.deepEqual([broken.exitCode, broken.stderr], [2, `${record}:1: is no JSON`])
      assert.equal((await pyheapctl('/nowhere')).exitCode, 3)
    } finally {
      rmSync(scratch, { recursive: true })
    }
  },
)
