import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerIdentity } from '../../../src/model.ts'
import type { Fetched } from '../../../src/observe/containers/fetch-pods.ts'
import { PodDirectory } from '../../../src/observe/containers/pod-directory.ts'

const one: ContainerIdentity = { id: 'a1'.repeat(32), runtime: 'containerd', podUid: 'uid-1' }
const two: ContainerIdentity = { id: 'b2'.repeat(32), runtime: 'containerd', podUid: 'uid-2' }

const listOf = (...some: readonly (readonly [ContainerIdentity, labels?: object])[]): Fetched => ({
  kind: 'fetched',
  text: JSON.stringify({
    kind: 'PodList',
    items: some.map(([{ id, podUid }, labels = {}]) => ({
      metadata: { name: `pod-${podUid}`, namespace: 'shop', uid: podUid, labels },
      status: { containerStatuses: [{ name: 'web', containerID: `containerd://${id}` }] },
    })),
  }),
})

const down: Fetched = { kind: 'failed', detail: 'ECONNREFUSED', hint: 'see kubernetes.pods_url' }

const directory = () => {
  const state = { answer: listOf(), asked: 0 }
  const pods = new PodDirectory({
    url: 'https://node/pods',
    fetch: async () => {
      state.asked++
      return state.answer
    },
  })
  /** Whether somebody waits for it. */
  const refresh = async (present: readonly ContainerIdentity[], second: number): Promise<boolean> => {
    const answer = pods.refresh(present, second * 1000)
    await answer
    await new Promise(setImmediate)
    return answer !== undefined
  }
  return { state, pods, refresh }
}

test('who is new is asked about at once, and waited for', async () => {
  const { state, pods, refresh } = directory()
  assert.equal(await refresh([], 0), false)
  assert.equal(state.asked, 0, 'where there is no container nobody is asked')
  state.answer = listOf([one])
  assert.equal(await refresh([one], 1), true)
  assert.equal(pods.namesOf(one)?.name, 'web')
  assert.equal(pods.namesOf(two), undefined)
})

test('once in five seconds while somebody is not known, and else once a minute', async () => {
  const { state, refresh } = directory()
  state.answer = listOf([one])
  await refresh([one], 0)
  for (let second = 1; second < 60; second++) await refresh([one], second)
  assert.equal(state.asked, 1)
  await refresh([one], 60)
  assert.equal(state.asked, 2)
  assert.equal(await refresh([one, two], 61), false, 'too soon')
  assert.equal(await refresh([one, two], 65), true)
  assert.equal(await refresh([one, two], 70), false, 'it is asked again, but nobody waits')
  assert.equal(state.asked, 4)
  for (let second = 71; second < 360; second++) await refresh([one, two], second)
  assert.equal(state.asked, 4 + 4 + 4, 'six times for who is never told, and then once a minute')
})

test('a container that is told late has the names of its pod until then', async () => {
  const { state, pods, refresh } = directory()
  state.answer = listOf([one])
  await refresh([one], 0)
  const inside: ContainerIdentity = { ...two, runtime: 'docker', podUid: one.podUid }
  assert.deepEqual([pods.namesOf(inside)?.pod, pods.namesOf(inside)?.name], ['pod-uid-1', undefined])
})

test('an answer that says the same changes nothing', async () => {
  const { state, pods, refresh } = directory()
  state.answer = listOf([one], [two])
  await refresh([one, two], 0)
  const [before, version] = [pods.namesOf(one), pods.version]
  await refresh([one, two], 60)
  assert.deepEqual([pods.version, pods.namesOf(one) === before], [version, true])
  state.answer = listOf([one], [two, { app: 'api' }])
  await refresh([one, two], 120)
  assert.deepEqual([pods.version, pods.namesOf(one) === before], [version + 1, true])
  assert.deepEqual(pods.namesOf(two)?.labels, { app: 'api' })
})

test('who is down is told of once, and once when well again; what was known stays', async () => {
  const { state, pods, refresh } = directory()
  state.answer = listOf([one])
  await refresh([one], 0)
  assert.deepEqual(pods.takeNews(), [])
  state.answer = down
  for (let second = 1; second < 200; second++) await refresh([one], second)
  assert.deepEqual(pods.takeNews(), [
    {
      kind: 'pods-unknown',
      url: 'https://node/pods',
      detail: 'ECONNREFUSED',
      hint: 'see kubernetes.pods_url',
    },
  ])
  assert.equal(pods.namesOf(one)?.name, 'web')
  assert.equal(await refresh([one, two], 240), false, 'who is down is not waited for')
  state.answer = { kind: 'fetched', text: 'garbage' }
  await refresh([one, two], 250)
  assert.deepEqual(pods.takeNews(), [])
  state.answer = listOf([one], [two])
  await refresh([one, two], 255)
  assert.deepEqual(pods.takeNews(), [{ kind: 'pods-known', url: 'https://node/pods', pods: 2 }])
  assert.equal(pods.namesOf(two)?.name, 'web')
})

test('one request at a time', async () => {
  let answer: (fetched: Fetched) => void = () => undefined
  let asked = 0
  const pods = new PodDirectory({
    url: '',
    fetch: () => {
      asked++
      return new Promise((resolve) => (answer = resolve))
    },
  })
  const waiting = pods.refresh([one], 0)
  assert.equal(pods.refresh([one, two], 100_000), undefined)
  assert.equal(asked, 1)
  answer(listOf([one]))
  await waiting
  assert.equal(pods.namesOf(one)?.name, 'web')
})
