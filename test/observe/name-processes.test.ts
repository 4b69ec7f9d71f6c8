import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, ContainerNames, ContainerNews, PythonProcess } from '../../src/model.ts'
import type { ContainerNaming } from '../../src/observe/containers/container-names.ts'
import { ProcessNames } from '../../src/observe/name-processes.ts'
import { podWishes } from '../../src/pod-wishes.ts'

const targets = [
  { name: 'shop', match: { namespace: 'shop' } },
  { name: 'rest', match: { cmdline: '.' } },
]

const inPod = (pid: number, digit: string): PythonProcess => ({
  ...plain(pid),
  container: { id: digit.repeat(64), runtime: 'containerd', podUid: `uid-${digit}` },
})

const plain = (pid: number): PythonProcess => ({
  id: { bootId: 'b', pid, startTicks: 1 },
  parentPid: 1,
  exe: '/usr/bin/python3',
  interpreter: '/usr/bin/python3',
  cmdline: ['python3'],
  uid: 0,
  user: 'root',
  cgroup: '/',
})

/** What is told of containers is what the test says. */
const setUp = (isOptIn = false) => {
  const told = new Map<string, Container>()
  const state = { version: 0, news: [] as ContainerNews[] }
  const containers: ContainerNaming = {
    refresh: async () => undefined,
    name: (identity) => told.get(identity.id) ?? identity,
    version: () => state.version,
    takeNews: () => state.news.splice(0),
    close: () => undefined,
  }
  const names = new ProcessNames({
    targets,
    containers,
    wishesOf: (container) => podWishes(container, { isOptIn, historyMs: 1_800_000 }),
  })
  const tell = ({ container }: PythonProcess, more: Omit<ContainerNames, 'runtime'>): void => {
    assert.ok(container)
    told.set(container.id, { ...container, namespace: 'shop', pod: 'api', ...more })
    state.version++
  }
  const look = async (appeared: readonly PythonProcess[] = [], gone: readonly PythonProcess[] = []) => {
    const { watched, others, dismissed, news } = await names.name(appeared, gone, 0)
    return {
      watched: watched.map(({ id, target }) => `${id.pid} ${target}`),
      rules: watched.flatMap(({ rules }) => rules?.own.map(({ name }) => name) ?? []),
      others: others.map(({ id }) => id.pid),
      dismissed: dismissed.map(({ pid }) => pid),
      news,
    }
  }
  return { look, tell }
}

const quiet = { watched: [], rules: [], others: [], dismissed: [], news: [] }

test('who is not told yet is watched without names, and called otherwise when it is', async () => {
  const { look, tell } = setUp()
  const one = inPod(1, 'a')
  assert.deepEqual((await look([one, plain(2)])).watched, ['1 rest', '2 rest'])
  assert.deepEqual(await look(), quiet)
  tell(one, { annotations: { 'pyheap-watchd/rss': '1GiB' } })
  assert.deepEqual(await look(), { ...quiet, watched: ['1 shop'], rules: ['pod-rss'] })
  assert.deepEqual(await look(), quiet)
  tell(inPod(3, 'b'), {})
  assert.deepEqual(await look(), quiet, 'what is told of others changes nothing')
  assert.deepEqual((await look([], [one])).watched, [])
  tell(one, {})
  assert.deepEqual(await look(), quiet, 'who is gone is not called anything')
})

test('who has opted out is watched no more, told once, and watched again when it says so', async () => {
  const { look, tell } = setUp()
  const [one, two] = [inPod(1, 'a'), inPod(2, 'a')]
  await look([one, two])
  tell(one, { annotations: { 'pyheap-watchd/watch': 'false' } })
  assert.deepEqual(await look(), {
    ...quiet,
    dismissed: [1, 2],
    news: [{ kind: 'opted-out', pod: 'shop/api' }],
  })
  assert.deepEqual(await look([inPod(3, 'a')]), { ...quiet, others: [3] })
  tell(one, {})
  assert.deepEqual((await look()).watched, ['1 shop', '2 shop', '3 shop'])
})

test('with opt_in a pod is watched from when it is told to want that; who is in none as ever', async () => {
  const { look, tell } = setUp(true)
  const [one, two] = [inPod(1, 'a'), inPod(2, 'b')]
  const outside = { ...plain(4), container: { id: 'c'.repeat(64), runtime: 'docker' as const } }
  const first = await look([one, two, plain(3), outside])
  assert.deepEqual(
    [first.watched, first.others],
    [
      ['3 rest', '4 rest'],
      [1, 2],
    ],
  )
  tell(one, { annotations: { 'pyheap-watchd/watch': 'true' } })
  tell(two, {})
  assert.deepEqual(await look(), { ...quiet, watched: ['1 shop'] })
})

test('an annotation that is wrong is told once, with what would be right', async () => {
  const { look, tell } = setUp()
  const one = inPod(1, 'a')
  tell(one, { annotations: { 'pyheap-watchd/rss': '1.5' } })
  const detail = '1.5 has no unit: write 1.5MiB, 1.5GiB ...'
  assert.deepEqual((await look([one])).news, [
    { kind: 'bad-annotation', pod: 'shop/api', key: 'pyheap-watchd/rss', detail },
  ])
  tell(one, { labels: { app: 'api' }, annotations: { 'pyheap-watchd/rss': '1.5' } })
  assert.deepEqual((await look()).news, [])
})
