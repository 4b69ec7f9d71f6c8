import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryAgain } from '../../src/capture/try-again.ts'
import type { CaptureFailure, CaptureKind, CaptureOutcome } from '../../src/model.ts'

/** What was asked for in turn, of captures that fail for these reasons until none is left. */
async function outcomesOf(reasons: readonly CaptureFailure[]) {
  const asked: string[] = []
  const take = async (attempt: number, kinds: readonly CaptureKind[]): Promise<CaptureOutcome> => {
    asked.push(kinds.join('+'))
    const reason = reasons[attempt - 1]
    if (reason !== undefined) return { kind: 'failed', reason, detail: 'no' }
    const census = { problems: [] } as unknown as Extract<CaptureOutcome, { kind: 'captured' }>['census']
    return { kind: 'captured', census, attempts: attempt } as Extract<CaptureOutcome, { kind: 'captured' }>
  }
  return { outcome: await tryAgain(['census', 'stacks'], take), asked }
}

test('after a snapshot that was killed for memory comes a cheaper one, and none after that', async () => {
  const { outcome, asked } = await outcomesOf(['snapshot-oom-killed'])
  assert.deepEqual(asked, ['census+stacks', 'stacks'])
  assert.ok(outcome.kind === 'captured')
  assert.equal(outcome.truncated?.reason, 'snapshot-oom-killed')
  assert.equal(outcome.census.complete, false)
  const twice = await outcomesOf(['snapshot-oom-killed', 'snapshot-died', 'snapshot-died'])
  assert.deepEqual(twice.asked, ['census+stacks', 'stacks'])
  assert.ok(twice.outcome.kind === 'failed' && twice.outcome.reason === 'snapshot-oom-killed')
})

test('a snapshot that hangs or dies is followed by another, three in all', async () => {
  const { outcome, asked } = await outcomesOf(['snapshot-hung', 'snapshot-died'])
  assert.equal(outcome.kind, 'captured')
  assert.equal(asked.length, 3)
  assert.equal((await outcomesOf(['snapshot-died', 'snapshot-died', 'snapshot-died'])).outcome.kind, 'failed')
})

test('what another snapshot would not do better is not tried again', async () => {
  assert.deepEqual((await outcomesOf(['clone-refused'])).asked, ['census+stacks'])
})
