import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Bucket } from '../../src/bucket/client.ts'
import { fetchObject, groupObjects } from '../../src/bucket/remote-dumps.ts'
import { isOurs, pathOf, placeOf } from '../../src/commands/bucket-store.ts'

const object = (key: string) => ({ key, bytes: 1, etag: '' })
const NAME = '20261130T100000Z-42-high'

test('the dumps among the objects of a bucket: those with a manifest, whatever stands before them', () => {
  const dumps = groupObjects(
    [
      `fleet/web-1/api/${NAME}/dump.json`,
      `fleet/web-1/api/${NAME}/census.json`,
      `fleet/eu/web-2/api/${NAME}/dump.json`,
      `fleet/api/${NAME}/dump.json`,
      `fleet/web-3/api/${NAME}/census.json`,
      `fleetwood/web-1/api/${NAME}/dump.json`,
    ].map(object),
    'fleet',
    isOurs,
  )
  assert.deepEqual(
    dumps.map(({ from, target, files }) => [from, target, files.size]),
    [
      ['web-1', 'api', 2],
      ['eu/web-2', 'api', 1],
      ['', 'api', 1],
    ],
  )
  assert.deepEqual(
    dumps.map((dump) => pathOf('/m', dump)),
    [`/m/web-1.api/${NAME}`, `/m/eu.web-2.api/${NAME}`, `/m/api/${NAME}`],
  )
})

for (const key of [
  `../${NAME}/dump.json`,
  `api/../dump.json`,
  `api/${NAME}/../../etc/passwd`,
  `api/${NAME}/toString`,
  `api/${NAME}/dump.json/x`,
  `.ssh/${NAME}/dump.json`,
  'dump.json',
  `api/${NAME}.partial/dump.json`,
])
  test(`an object called ${key} is no part of a dump`, () =>
    assert.deepEqual(groupObjects([object(key)], '', isOurs), []))

test('a host that is called to lead elsewhere stays inside', () => {
  const [dump] = groupObjects([object(`../../root/api/${NAME}/dump.json`)], '', isOurs)
  assert.ok(dump)
  assert.match(pathOf('/m', dump), /^\/m\/[A-Za-z0-9][^/]*\/[^/]+$/)
})

const upload = {
  endpoint: 'http://storage:9000',
  bucket: 'dumps',
  region: 'here',
  prefix: 'fleet/web-1',
} as const
const AWS = { AWS_ENDPOINT_URL: 'http://other', AWS_DEFAULT_REGION: 'eu-west-1' }

for (const [url, env, expected] of [
  ['s3://dumps', {}, { endpoint: 'http://storage:9000', bucket: 'dumps', region: 'here', prefix: '' }],
  [
    's3://dumps/fleet/',
    AWS,
    { endpoint: 'http://storage:9000', bucket: 'dumps', region: 'here', prefix: 'fleet' },
  ],
  [
    's3://others/a/b',
    AWS,
    { endpoint: 'http://other', bucket: 'others', region: 'eu-west-1', prefix: 'a/b' },
  ],
  [
    's3://others',
    { AWS_REGION: 'eu-west-1' },
    { endpoint: 'https://s3.eu-west-1.amazonaws.com', bucket: 'others', region: 'eu-west-1', prefix: '' },
  ],
  ['s3://', {}, undefined],
  ['s3://A/b', {}, undefined],
  ['s3:dumps', {}, undefined],
] as const)
  test(`${url} with ${Object.keys(env).join(' and ') || 'nothing in the environment'}`, () =>
    assert.deepEqual(placeOf(url, { upload: upload as never }, env), expected))

test('an object that is not what the list says leaves nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pyheap-fetch-'))
  const answer = (text: string) => ({ get: async () => new Response(text) }) as unknown as Bucket
  const file = join(folder, 'a', 'b')
  const listed = { key: 'k', bytes: 5, etag: '' }
  await fetchObject(answer('hello'), listed, file)
  assert.equal(readFileSync(file, 'utf8'), 'hello')
  rmSync(file)
  await assert.rejects(fetchObject(answer('hello and more'), listed, file), /more than its 5 bytes/)
  await assert.rejects(fetchObject(answer('hell'), listed, file), /cut off/)
  await assert.rejects(
    fetchObject(answer('hallo'), listed, file, 'f'.repeat(64)),
    /not what its manifest says/,
  )
  assert.ok(!existsSync(file))
  assert.deepEqual(readdirSync(join(folder, 'a')), [])
  rmSync(folder, { recursive: true })
})
