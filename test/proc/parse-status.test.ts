import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { effectiveUid, memorySplit, parseStatus } from '../../src/proc/parse-status.ts'
import { fixtures } from '../observe/proc-tree.ts'

const recorded = (pid: number) => parseStatus(readFileSync(`${fixtures}/machine/${pid}/status`, 'utf8'))

test('the parts of a recorded process add up to its RSS', () => {
  const fields = recorded(101)
  const split = memorySplit(fields)
  assert.ok(split)
  const total = Number(fields.get('VmRSS')?.split(' ')[0]) * 1024
  assert.equal(split.anonBytes + split.fileBytes + split.shmemBytes, total)
})

test('a zombie and a kernel thread have no parts', () => {
  assert.equal(memorySplit(recorded(104)), undefined)
  assert.equal(memorySplit(recorded(105)), undefined)
})

test('the effective user counts, not the real one', () => {
  assert.equal(effectiveUid(parseStatus('Uid:\t1000\t33\t1000\t1000\n')), 33)
  assert.equal(effectiveUid(parseStatus('Uid:\t1000\tx\n')), undefined)
  assert.equal(effectiveUid(parseStatus('')), undefined)
})

test('of two fields with one name the first counts', () => {
  assert.equal(parseStatus('Uid:\t1\t1\nUid:\t0\t0\n').get('Uid'), '1\t1')
})
