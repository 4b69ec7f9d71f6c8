import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Notice, NoticeKind } from '../../src/model.ts'
import { createDelivery, type Delivered, type Receiver } from '../../src/service/deliver.ts'

const notice = (event: NoticeKind, message = ''): Notice => ({ event, at: '', host: 'h', message })

const receiver = (
  name: string,
  tell: Receiver['tell'],
  on: readonly NoticeKind[] = ['captured'],
): Receiver => ({
  name,
  on,
  tell,
})

test('each hears what it wants, in order, and what fails is told', async () => {
  const heard: string[] = []
  const told: Delivered[] = []
  const { deliver, settled } = createDelivery(
    [
      receiver('a', async ({ message }) => void heard.push(`a${message}`)),
      receiver('b', async () => 'is down', ['oom']),
      receiver('c', () => Promise.reject(new Error('broke')), ['oom']),
    ],
    (delivered) => told.push(delivered),
  )
  for (const n of ['1', '2', '3']) deliver(notice('captured', n))
  deliver(notice('oom'))
  await settled()
  assert.deepEqual(heard, ['a1', 'a2', 'a3'])
  assert.deepEqual(
    told.filter(({ to }) => to !== 'a'),
    [
      { to: 'b', what: 'oom', problem: 'is down' },
      { to: 'c', what: 'oom', problem: 'Error: broke' },
    ],
  )
})

test('a receiver that hangs keeps nobody else waiting, and what waits for it is bounded', async () => {
  let heard = 0
  const told: Delivered[] = []
  const { deliver } = createDelivery(
    [receiver('hangs', () => new Promise(() => undefined)), receiver('quick', async () => void (heard += 1))],
    (delivered) => told.push(delivered),
  )
  for (let n = 0; n < 100; n++) deliver(notice('captured'))
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(heard, 64)
  assert.equal(told.filter(({ to, problem }) => to === 'hangs' && problem?.includes('too many')).length, 36)
})
