import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addTold, ftraceFilter } from '../../../src/observe/probe/ftrace-filter.ts'
import { parseTraceLine } from '../../../src/observe/probe/parse-trace-line.ts'

const RSS = 'rss_stat: mm_id=2712381741 curr=1 type=MM_ANONPAGES size=67108864B'
const CASES: readonly (readonly [string, string, ReturnType<typeof parseTraceLine>])[] = [
  [
    'growth',
    `         python3-9186    [001] d..2.  8889.851829: ${RSS}`,
    { kind: 'rss', tid: 9186, mm: 2712381741, bytes: 67_108_864 },
  ],
  [
    'growth of a name with blanks, colons and numbers',
    `  a: b-1 [000]-77      [000] d..2.  8889.851829: ${RSS}`,
    { kind: 'rss', tid: 77, mm: 2712381741, bytes: 67_108_864 },
  ],
  [
    'an OOM kill',
    '  python3-9 [001] .....  12.345678: mark_victim: pid=4242 comm=python3 total-vm=1kB anon-rss=1kB',
    { kind: 'oom', pid: 4242 },
  ],
  [
    'an OOM kill before 6.8',
    '  x-9 [001] ..... 12.345678: mark_victim: pid=4242',
    { kind: 'oom', pid: 4242 },
  ],
  ['lost events', 'CPU:1 [LOST 105601 EVENTS]', { kind: 'lost', events: 105_601 }],
  [
    'memory of files',
    '  x-9 [001] d..2. 1.5: rss_stat: mm_id=1 curr=1 type=MM_FILEPAGES size=4096B',
    undefined,
  ],
  [
    'a shrinking to less than nothing',
    '  x-9 [001] d..2. 1.5: rss_stat: mm_id=1 curr=1 type=MM_ANONPAGES size=-4096B',
    undefined,
  ],
  ['another event', '  x-9 [001] d..2. 1.5: sched_switch: prev_comm=x', undefined],
  ['nothing', '', undefined],
]
for (const [name, line, expected] of CASES)
  test(`${name} is read from trace_pipe`, () => assert.deepEqual(parseTraceLine(line), expected))

test('the filter passes who was told of from the next step on alone', () => {
  const told = addTold(addTold(new Map(), 7, 100), 8, 200)
  assert.equal(
    ftraceFilter(50, told),
    'member==1 && curr==1 && size>=50 && (mm_id!=7 || size>=100) && (mm_id!=8 || size>=200)',
  )
})

test('a filter fits a page, whatever is told', () => {
  let told = addTold(new Map(), 1, 1)
  for (let mm = 0; mm < 500; mm++) told = addTold(told, 2 ** 32 - mm, 2 ** 46)
  assert.ok(ftraceFilter(2 ** 46, told).length < 4096)
  assert.ok(told.has(2 ** 32 - 499) && !told.has(1))
})
