import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parsePodList } from '../../../src/observe/containers/pod-list.ts'

const recorded = readFileSync(new URL('../../fixtures/kubernetes/kubelet-pods.json', import.meta.url), 'utf8')

const parse = (text: string) => {
  const parsed = parsePodList(text)
  assert.ok(parsed.kind === 'pods')
  return parsed
}

const pod = {
  podUid: '3f0c1d2e-9a8b-4c7d-8e6f-0a1b2c3d4e5f',
  pod: 'api-7f9c6d5b48-x7k2p',
  namespace: 'shop-prod',
  labels: { app: 'api', 'pod-template-hash': '7f9c6d5b48', tier: 'web' },
  annotations: { 'pyheap-watchd/rss': '1.5GiB', 'pyheap-watchd/limit': '80%' },
}

test('what a kubelet answers: containers of all kinds, and nothing that is not needed', () => {
  const { containers } = parse(recorded)
  assert.deepEqual(Object.fromEntries(containers), {
    ['a1'.repeat(32)]: {
      ...pod,
      runtime: 'containerd',
      name: 'api',
      image: 'registry.example.com/shop/api:1.2',
    },
    ['b2'.repeat(32)]: {
      ...pod,
      runtime: 'containerd',
      name: 'migrate',
      image: 'registry.example.com/shop/migrate:1.2',
    },
    ['c3'.repeat(32)]: { ...pod, runtime: 'containerd', name: 'debugger-k9x', image: 'python:3.12' },
    ['d4'.repeat(32)]: {
      runtime: 'cri-o',
      podUid: '5b6a7c8d-0000-4111-8222-933344445555',
      pod: 'etcd-node-1',
      namespace: 'kube-system',
      labels: { component: 'etcd' },
      name: 'etcd',
      image: 'registry.k8s.io/etcd:3.5.15-0',
    },
  })
})

test('pods are known by their uids, static ones by that of their cgroup too', () => {
  const { pods } = parse(recorded)
  assert.deepEqual(
    [...pods].map(([uid, names]) => [uid.slice(0, 8), names.pod]),
    [
      ['3f0c1d2e', 'api-7f9c6d5b48-x7k2p'],
      ['5b6a7c8d', 'etcd-node-1'],
      ['0f8a6c1b', 'etcd-node-1'],
      ['77777777', 'pending-0'],
    ],
  )
})

for (const [what, text] of [
  ['no JSON', '<html>'],
  ['another kind', '{"kind":"Status","status":"Failure"}'],
  ['a number', '1'],
  ['items that are no list', '{"kind":"PodList","items":{}}'],
] as const) {
  test(`${what} is malformed`, () => assert.equal(parsePodList(text).kind, 'malformed'))
}

test('an API without pods answers null', () => {
  assert.equal(parse('{"kind":"PodList","items":null}').pods.size, 0)
})

test('a pod that is malformed is left out, and the others are not', () => {
  const list = JSON.parse(recorded) as { items: object[] }
  const hostile = [
    null,
    { metadata: { name: 7 } },
    { metadata: { name: 'x'.repeat(1000), namespace: 'n', uid: 'u' } },
    { metadata: { name: 'n', namespace: 'n', uid: 'u', labels: 'no' } },
  ]
  const { pods } = parse(JSON.stringify({ ...list, items: [...hostile, ...list.items] }))
  assert.equal(pods.size, 4)
})

test('what is long is left out or cut, and odd keys are no more than keys', () => {
  const text = `{"kind":"PodList","items":[{"metadata":{"name":"n","namespace":"n","uid":"u",
    "labels":{"__proto__":"x","constructor":"y","long":"${'v'.repeat(1000)}"},
    "annotations":{"pyheap-watchd/rss":"${'1'.repeat(100_000)}","note":"kept by nobody"}},
    "status":{"containerStatuses":[{"name":"c","containerID":"containerd://../../etc/passwd"}]}}]}`
  const { pods, containers } = parse(text)
  const { labels = {}, annotations = {} } = pods.get('u') ?? {}
  assert.equal(containers.size, 0)
  assert.equal(Object.getPrototypeOf(labels), Object.prototype)
  assert.equal(labels['long'], undefined)
  assert.equal(labels['constructor'], 'y')
  assert.equal(annotations['pyheap-watchd/rss']?.length, 200)
  assert.deepEqual(Object.keys(annotations), ['pyheap-watchd/rss'])
})
