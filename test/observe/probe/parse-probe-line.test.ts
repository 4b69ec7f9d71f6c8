import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { installation } from '../../../src/installation.ts'
import { parseProbeLine } from '../../../src/observe/probe/parse-probe-line.ts'

const recorded = (name: string) =>
  readFileSync(join(installation.bpf, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(parseProbeLine)

test('what rss.bt said of a growing Python is read', () => {
  const events = recorded('rss.example.ndjson')
  assert.deepEqual(events[0], { kind: 'attached' })
  assert.deepEqual(events[1], { kind: 'growth', pid: 9186, bytes: 67_108_864 })
  const sizes = events.flatMap((event) => (event?.kind === 'growth' ? [event.bytes] : []))
  assert.equal(sizes.length, 6)
  for (const [index, size] of sizes.slice(1).entries()) assert.equal(size - (sizes[index] ?? 0), 16 * 2 ** 20)
  assert.deepEqual(events.at(-1), { kind: 'lost', events: 85_976 })
})

test('what address-space.bt said is read', () => {
  const [attached, ...grown] = recorded('address-space.example.ndjson')
  assert.equal(attached?.kind, 'attached')
  assert.ok(grown.length > 0 && grown.every((event) => event?.kind === 'growth'))
})

const CASES: readonly (readonly [string, string, ReturnType<typeof parseProbeLine>])[] = [
  [
    'the count of bpftrace 0.27',
    '{"type": "attached_probes", "count": 4, "data": {"probes": 4}}',
    { kind: 'attached' },
  ],
  ['an OOM kill', '{"type": "printf", "data": "oom 4242\\n"}', { kind: 'oom', pid: 4242 }],
  ['a program that was replaced', '{"type": "printf", "data": "exec 77\\n"}', { kind: 'exec', pid: 77 }],
  ['an end', '{"type": "printf", "data": "exit 77\\n"}', { kind: 'exit', pid: 77 }],
  ['a blank line', '', undefined],
  ['a warning on stdout', 'stdin:1:1-2: WARNING: something', undefined],
  ['JSON that is cut off', '{"type": "printf", "data": "rss 1', undefined],
  ['another kind of message', '{"type": "helper_error", "msg": "Map full"}', undefined],
  ['data that is no text', '{"type": "printf", "data": {"rss": 1}}', undefined],
  ['a name instead of a pid', '{"type": "printf", "data": "rss self 12"}', undefined],
  ['growth without a size', '{"type": "printf", "data": "rss 12"}', undefined],
  ['a line without end', `{"type": "printf", "data": "rss 12 ${'9'.repeat(9000)}"}`, undefined],
]
for (const [name, line, expected] of CASES)
  test(`${name} is ${expected?.kind ?? 'nothing'}`, () => assert.deepEqual(parseProbeLine(line), expected))
