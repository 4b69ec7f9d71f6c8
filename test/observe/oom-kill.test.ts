import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOomKill } from '../../src/observe/oom-kill.ts'

const KIB = 1024
const numbers = {
  virtualBytes: 700_004 * KIB,
  anonBytes: 612_884 * KIB,
  fileBytes: 5120 * KIB,
  shmemBytes: 16 * KIB,
}
const SIZES = 'total-vm:700004kB, anon-rss:612884kB, file-rss:5120kB, shmem-rss:16kB'
const TAIL = ', UID:33 pgtables:1400kB oom_score_adj:0'

const KILLS: readonly (readonly [string, string, ReturnType<typeof parseOomKill>])[] = [
  [
    'for want of memory in a cgroup',
    `3,1842,98765432,-;Memory cgroup out of memory: Killed process 4242 (python3) ${SIZES}${TAIL}`,
    { atUs: 98_765_432, kill: { pid: 4242, name: 'python3', within: 'cgroup', ...numbers } },
  ],
  [
    'for want of memory on the host, with more fields',
    `3,1842,98765432,-,caller=T4242;Out of memory: Killed process 4242 (python3) ${SIZES}${TAIL}`,
    { atUs: 98_765_432, kill: { pid: 4242, name: 'python3', within: 'host', ...numbers } },
  ],
  [
    'in the words of Linux 4.19',
    `3,1842,98765432,-;Killed process 4242 (python3) ${SIZES}`,
    { atUs: 98_765_432, kill: { pid: 4242, name: 'python3', within: 'host', ...numbers } },
  ],
  [
    'in the words of Red Hat 8',
    `3,1842,98765432,-;Killed process 4242 (python3), UID 33, ${SIZES}`,
    { atUs: 98_765_432, kill: { pid: 4242, name: 'python3', within: 'host', ...numbers } },
  ],
  [
    'of a name with parentheses',
    `3,1842,98765432,-;Out of memory: Killed process 4242 (a) b (c) ${SIZES}${TAIL}`,
    { atUs: 98_765_432, kill: { pid: 4242, name: 'a) b (c', within: 'host', ...numbers } },
  ],
]
for (const [what, record, expected] of KILLS)
  test(`a kill ${what} is read`, () => assert.deepEqual(parseOomKill(record), expected))

const OTHERS: readonly (readonly [string, string])[] = [
  ['what a program has written there', `12,1,2,-;Out of memory: Killed process 4242 (python3) ${SIZES}`],
  [
    'who was chosen, before it is killed',
    '3,1,2,-;Out of memory: Kill process 4242 (python3) score 900 or so',
  ],
  ['what the reaper says', '6,1,2,-;oom_reaper: reaped process 4242 (python3), now anon-rss:0kB'],
  ['a record without text', '6,1,2,-'],
  ['nothing', ''],
]
for (const [what, record] of OTHERS)
  test(`${what} is no kill`, () => assert.equal(parseOomKill(record), undefined))
