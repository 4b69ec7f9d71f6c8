import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DumpManifest, ProfileStore } from '../../../src/model.ts'
import { pushRequest } from '../../../src/report/export/push-request.ts'
import { makeManifest } from '../../store/make-manifest.ts'

const manifest: DumpManifest = { ...makeManifest({ target: 'api, "x"={y}' }), files: [] }
const facts = { profile: new Uint8Array([1, 2, 3]), host: 'web-1', token: 's3cret' }
const store: ProfileStore = {
  kind: 'pyroscope',
  url: 'http://pyroscope:4040/',
  labels: { env: 'prod' },
  tokenFile: undefined,
}

test('Pyroscope gets a form, with labels in the name and the time of the capture', () => {
  const { url, headers, body } = pushRequest(store, manifest, facts)
  const { origin, pathname, searchParams } = new URL(url)
  assert.equal(`${origin}${pathname}`, 'http://pyroscope:4040/ingest')
  assert.equal(searchParams.get('name'), 'pyheap{target=api___x___y_,host=web-1,env=prod}')
  assert.equal(searchParams.get('format'), 'pprof')
  assert.deepEqual([searchParams.get('from'), searchParams.get('until')], ['1795303320', '1795303324'])
  assert.equal(headers['authorization'], 'Bearer s3cret')
  assert.ok(body.kind === 'form' && body.profile === facts.profile)
  assert.deepEqual(Object.keys(JSON.parse(body.fields['sample_type_config'] ?? '{}') as object), [
    'inuse_objects',
    'inuse_space',
  ])
})

test('Parca gets JSON, with labels as they are', () => {
  const { url, headers, body } = pushRequest({ ...store, kind: 'parca' }, manifest, {
    ...facts,
    token: undefined,
  })
  assert.equal(url, 'http://pyroscope:4040/profiles/writeraw')
  assert.deepEqual(headers, { 'content-type': 'application/json' })
  assert.deepEqual(body.kind === 'json' && JSON.parse(body.text), {
    series: [
      {
        labels: {
          labels: [
            { name: '__name__', value: 'memory' },
            { name: 'target', value: 'api, "x"={y}' },
            { name: 'host', value: 'web-1' },
            { name: 'env', value: 'prod' },
          ],
        },
        samples: [{ rawProfile: 'AQID' }],
      },
    ],
  })
})

test('a pod and the leak that it names are labels', () => {
  const pod = { runtime: 'containerd', namespace: 'prod', pod: 'api-0', name: 'app' } as const
  const leaking = { ...manifest, fingerprint: 'abcdefabcdef' }
  const { url } = pushRequest(
    store,
    { ...leaking, process: { ...leaking.process, container: pod } },
    { profile: Buffer.of(), host: 'node-1', token: undefined },
  )
  const name = new URL(url).searchParams.get('name') ?? ''
  for (const label of ['namespace=prod', 'pod=api-0', 'container=app', 'leak=abcdefabcdef', 'host=node-1'])
    assert.ok(name.includes(label), name)
})
