import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, afterEach, describe, test } from 'node:test'
import { S3mini } from 's3mini'
import { type Bucket, openBucket } from '../../src/bucket/client.ts'
import { sendDump } from '../../src/bucket/send-dump.ts'
import type { UnsentDump, Upload, UploadRecord } from '../../src/model.ts'
import { type S3Server, startS3, whyNoS3 } from '../setup/s3-server.ts'

const MIB = 2 ** 20

describe('dumps that are sent to a bucket', { skip: whyNoS3(), timeout: 120_000 }, () => {
  let server: S3Server
  let path: string
  const never = new AbortController().signal

  before(async () => {
    server = await startS3()
    await new S3mini({
      ...keys(),
      endpoint: `${server.endpoint}/dumps`,
      region: server.region,
    }).createBucket()
  })
  after(() => server.stop())
  beforeEach(() => (path = mkdtempSync(join(tmpdir(), 'pyheap-send-'))))
  afterEach(() => rmSync(path, { recursive: true }))

  const keys = () => ({ accessKeyId: server.accessKey, secretAccessKey: server.secretKey })
  const upload = (more: Partial<Upload> = {}): Upload => ({
    endpoint: server.endpoint,
    bucket: 'dumps',
    region: server.region,
    prefix: 'web-1',
    credentialsFile: undefined,
    bytesPerMs: undefined,
    encryption: 'none',
    kmsKey: undefined,
    tags: {},
    deleteLocal: false,
    ...more,
  })
  /** A dump that has these files. */
  const makeDump = (files: Readonly<Record<string, Uint8Array>>, record?: UploadRecord): UnsentDump => ({
    id: 'api/20261130T100000Z-42-high',
    path,
    record,
    files: Object.entries(files).map(([name, content]) => {
      writeFileSync(join(path, name), content)
      return { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }
    }),
  })
  /** A bucket that counts what it is sent, and breaks after so many parts. */
  const open = (given: Upload, partsUntilBroken = Infinity, signal = never) => {
    const bucket = openBucket(given, keys(), { signal, bytesPerMs: given.bytesPerMs })
    const sent: string[] = []
    const counting: Bucket = {
      ...bucket,
      put: (key, ...rest) => {
        sent.push(key)
        return bucket.put(key, ...rest)
      },
      putPart: async (part, bytes) => {
        if (sent.length >= partsUntilBroken) throw new Error('the line is cut')
        sent.push(`${part.key} ${part.number}`)
        return bucket.putPart(part, bytes)
      },
    }
    return { bucket: counting, sent }
  }
  const fetchBack = async (key: string): Promise<Buffer> => {
    const response = await openBucket(upload(), keys(), { signal: never }).get(key)
    assert.ok(response, key)
    return Buffer.from(await response.arrayBuffer())
  }
  const nothing = async (): Promise<void> => undefined
  const prefix = 'web-1/api/20261130T100000Z-42-high'

  test('are there whole, the manifest last, and are not sent again', async () => {
    const [core, census] = [randomBytes(20 * MIB), randomBytes(1000)]
    const dump = makeDump({ core, 'census.json': census, 'dump.json': Buffer.from('{}') })
    const { bucket, sent } = open(upload())
    const first = await sendDump(bucket, upload(), dump, nothing)
    assert.equal(first.kind, 'sent')
    assert.ok(first.kind === 'sent')
    assert.deepEqual(sent, [
      `${prefix}/core 1`,
      `${prefix}/core 2`,
      `${prefix}/core 3`,
      `${prefix}/census.json`,
      `${prefix}/dump.json`,
    ])
    assert.ok(core.equals(await fetchBack(`${prefix}/core`)))
    assert.ok(census.equals(await fetchBack(`${prefix}/census.json`)))
    assert.equal(first.bytes, core.length + 1002)
    const again = await sendDump(bucket, upload(), { ...dump, record: first.record }, nothing)
    assert.deepEqual([again.kind, sent.length], ['sent', 5])
    const elsewhere = await sendDump(
      bucket,
      upload({ prefix: 'b' }),
      { ...dump, record: first.record },
      nothing,
    )
    assert.deepEqual([elsewhere.kind, sent.length], ['sent', 10], 'another place has nothing of it')
  })

  test('go on after a break where they were', async () => {
    const core = randomBytes(30 * MIB)
    let saved: UploadRecord | undefined
    const save = async (record: UploadRecord): Promise<void> => void (saved = record)
    const broken = open(upload(), 2)
    const failed = await sendDump(broken.bucket, upload(), makeDump({ core }), save)
    assert.ok(failed.kind === 'failed' && failed.isPassing && failed.concerns === 'place')
    const { bucket, sent } = open(upload())
    const done = await sendDump(bucket, upload(), makeDump({ core }, saved), save)
    assert.equal(done.kind, 'sent')
    assert.deepEqual(sent, [`${prefix}/core 3`, `${prefix}/core 4`])
    assert.ok(core.equals(await fetchBack(`${prefix}/core`)))
  })

  test('begin anew where the storage has forgotten the parts', async () => {
    const core = randomBytes(17 * MIB)
    const place = `${server.endpoint}/dumps/web-1`
    const record = { format: 1, place, files: {}, pending: { file: 'core', uploadId: 'bm9uZQ' } } as const
    const done = await sendDump(open(upload()).bucket, upload(), makeDump({ core }, record), nothing)
    assert.equal(done.kind, 'sent')
    assert.ok(core.equals(await fetchBack(`${prefix}/core`)))
  })

  test('are sent at the pace that is given', async () => {
    const content = randomBytes(MIB)
    const paced = upload({ bytesPerMs: 2 * 1024 })
    const began = performance.now()
    const done = await sendDump(open(paced).bucket, paced, makeDump({ core: content }), nothing)
    assert.equal(done.kind, 'sent')
    assert.ok(performance.now() - began > 400)
    assert.ok(content.equals(await fetchBack(`${prefix}/core`)))
  })

  test('stop when the daemon does', async () => {
    const stop = new AbortController()
    const paced = upload({ bytesPerMs: 1 })
    setTimeout(() => stop.abort(), 100)
    const failed = await sendDump(
      open(paced, Infinity, stop.signal).bucket,
      paced,
      makeDump({ core: randomBytes(MIB) }),
      nothing,
    )
    assert.ok(failed.kind === 'failed' && failed.isPassing)
  })

  test('are refused when a file is not what the manifest says', async () => {
    const dump = makeDump({ 'census.json': Buffer.from('as it was') })
    writeFileSync(join(path, 'census.json'), 'something')
    const failed = await sendDump(open(upload()).bucket, upload(), dump, nothing)
    assert.ok(failed.kind === 'failed' && failed.concerns === 'dump' && !failed.isPassing)
    writeFileSync(join(path, 'census.json'), 'longer than it was')
    const longer = await sendDump(open(upload()).bucket, upload(), dump, nothing)
    assert.ok(longer.kind === 'failed' && longer.concerns === 'dump')
    rmSync(join(path, 'census.json'))
    const gone = await sendDump(open(upload()).bucket, upload(), dump, nothing)
    assert.ok(gone.kind === 'failed' && gone.concerns === 'dump')
  })

  for (const [what, change, expected] of [
    ['a bucket that is not there', { bucket: 'nothing' }, /404 NoSuchBucket/],
    ['another region', { region: 'mars-1' }, /400 AuthorizationHeaderMalformed/],
    ['tags that the storage does not know', { tags: { retention: 'short' } }, /501 NotImplemented/],
    ['encryption that the storage does not know', { encryption: 'AES256' }, /501 NotImplemented/],
  ] as const)
    test(`what to do about ${what} is said`, async () => {
      const given = upload(change)
      const failed = await sendDump(open(given).bucket, given, makeDump({ core: Buffer.from('x') }), nothing)
      assert.ok(failed.kind === 'failed')
      assert.match(failed.detail, expected)
      assert.ok(failed.hint && !failed.isPassing && failed.concerns === 'place', JSON.stringify(failed))
    })

  test('what to do about a wrong secret is said', async () => {
    const bucket = openBucket(upload(), { ...keys(), secretAccessKey: 'wrong' }, { signal: never })
    const failed = await sendDump(bucket, upload(), makeDump({ core: Buffer.from('x') }), nothing)
    assert.ok(failed.kind === 'failed' && !failed.isPassing)
    assert.match(`${failed.detail} ${failed.hint}`, /403 SignatureDoesNotMatch.*secret key/s)
  })

  test('a server that is away passes', async () => {
    await server.pause()
    const failed = await sendDump(
      open(upload()).bucket,
      upload(),
      makeDump({ core: Buffer.from('x') }),
      nothing,
    )
    await server.resume()
    assert.ok(failed.kind === 'failed' && failed.isPassing && failed.concerns === 'place')
    assert.match(failed.detail, /ECONNREFUSED/)
  })
})
