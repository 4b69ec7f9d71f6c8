import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseStat } from '../../src/proc/parse-stat.ts'
import { fixtures } from '../observe/proc-tree.ts'

const recorded = (pid: number) => parseStat(readFileSync(`${fixtures}/machine/${pid}/stat`, 'utf8'))

test('a recorded stat says who the process is', () => {
  assert.deepEqual(recorded(101), {
    pid: 101,
    command: 'python3',
    state: 'S',
    parentPid: 1,
    isKernelThread: false,
    startTicks: 226606,
    image: '4321280:140724822098512',
  })
})

test('a name with parentheses, spaces, a state letter and a line end does not move the fields', () => {
  const stat = recorded(106)
  assert.equal(stat?.command, 'foo) Z 1 (\nbar')
  assert.equal(stat?.state, 'S')
  assert.equal(stat?.startTicks, 226606)
})

test('a kernel thread is told by its flag, a zombie by its state', () => {
  assert.equal(recorded(105)?.isKernelThread, true)
  assert.equal(recorded(104)?.isKernelThread, false)
  assert.equal(recorded(104)?.state, 'Z')
})

for (const [what, text] of [
  ['nothing', ''],
  ['no name', '101 S 1 2'],
  ['a name without end', '101 (python3 S 1 2'],
  ['too few fields', '101 (python3) S 1 101'],
  ['a pid that is no number', `x (python3) S ${'1 '.repeat(40)}`],
  ['a negative start', `1 (python3) S ${'1 '.repeat(18)}-5 1 1 1 1 1 1`],
] as const) {
  test(`${what} is not a stat`, () => assert.equal(parseStat(text), undefined))
}
