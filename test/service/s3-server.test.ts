import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { S3mini, S3ServiceError } from 's3mini'
import { type S3Server, startS3, whyNoS3 } from '../setup/s3-server.ts'

const MIB = 2 ** 20

describe('the S3 server of the tests', { skip: whyNoS3(), timeout: 120_000 }, () => {
  let server: S3Server
  let bucket: S3mini

  const open = (secretKey: string): S3mini =>
    new S3mini({
      accessKeyId: server.accessKey,
      secretAccessKey: secretKey,
      endpoint: `${server.endpoint}/dumps`,
      region: server.region,
    })
  const read = async (key: string): Promise<Buffer | undefined> => {
    const content = await bucket.getObjectArrayBuffer(key)
    return content ? Buffer.from(content) : undefined
  }

  before(async () => {
    server = await startS3()
    bucket = open(server.secretKey)
    assert.equal(await bucket.createBucket(), true)
  })
  after(() => server.stop())

  test('keeps an object, lists it under its prefix, and deletes it', async () => {
    const content = randomBytes(6 * MIB)
    await bucket.putObject('api/1/core', content)
    await bucket.putObject('web/1/core', 'another')
    assert.ok(content.equals((await read('api/1/core')) ?? Buffer.of()))
    assert.equal(await bucket.getContentLength('api/1/core'), content.length)
    const listed = await bucket.listObjects('/', 'api/')
    assert.deepEqual(
      listed?.map(({ Key, Size }) => ({ Key, Size })),
      [{ Key: 'api/1/core', Size: content.length }],
    )
    assert.equal(await bucket.deleteObject('api/1/core'), true)
    assert.equal(await bucket.objectExists('api/1/core'), false)
    assert.equal(await bucket.objectExists('web/1/core'), true)
  })

  test('puts parts together', async () => {
    const parts = [1, 2, 3].map(() => randomBytes(5 * MIB))
    const upload = await bucket.getMultipartUploadId('parts')
    const sent = []
    for (const [index, part] of parts.entries())
      sent.push(await bucket.uploadPart('parts', upload, part, index + 1))
    assert.equal(await bucket.objectExists('parts'), false)
    const { etag } = await bucket.completeMultipartUpload('parts', upload, sent)
    assert.match(etag, /^[\da-f]{32}-3$/)
    assert.equal(await bucket.getEtag('parts'), etag)
    assert.ok(Buffer.concat(parts).equals((await read('parts')) ?? Buffer.of()))
  })

  test('refuses whoever does not have the secret', async () => {
    const isRefusal = (error: unknown): boolean =>
      error instanceof S3ServiceError && error.status === 403 && error.serviceCode === 'SignatureDoesNotMatch'
    await assert.rejects(open('wrong').putObject('forged', 'x'), isRefusal)
    await assert.rejects(open('wrong').getObject('web/1/core'), isRefusal)
    assert.equal(await bucket.objectExists('forged'), false)
  })

  test('refuses connections in a pause, and has everything when it is back', async () => {
    await bucket.putObject('kept', 'as it was')
    const upload = await bucket.getMultipartUploadId('resumed')
    const part = await bucket.uploadPart('resumed', upload, randomBytes(5 * MIB), 1)
    await server.pause()
    assert.equal(await connecting(server.endpoint), 'ECONNREFUSED')
    await assert.rejects(bucket.getObject('kept'))
    await server.resume()
    assert.equal(await bucket.getObject('kept'), 'as it was')
    const last = await bucket.uploadPart('resumed', upload, 'the rest', 2)
    await bucket.completeMultipartUpload('resumed', upload, [part, last])
    assert.equal(await bucket.getContentLength('resumed'), 5 * MIB + 8)
  })

  test('is gone with whoever has started it, and leaves nothing mounted', async () => {
    const mounted = readFileSync('/proc/self/mounts', 'utf8')
    const module = new URL('../setup/s3-server.ts', import.meta.url).href
    const script = `import { startS3 } from '${module}'; console.log((await startS3()).endpoint)`
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-s3-test-'))
    const other = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      env: { ...process.env, TMPDIR: scratch },
    })
    const [said] = (await once(other.stdout, 'data')) as [Buffer]
    const endpoint = String(said).trim()
    assert.equal(await connecting(endpoint), 'connected')
    other.kill('SIGKILL')
    for (let tries = 0; tries < 50 && (await connecting(endpoint)) === 'connected'; tries++) await sleep(20)
    assert.equal(await connecting(endpoint), 'ECONNREFUSED')
    assert.equal(readFileSync('/proc/self/mounts', 'utf8'), mounted)
    rmSync(scratch, { recursive: true })
  })
})

/** What comes of opening a connection. */
function connecting(endpoint: string): Promise<string> {
  const { hostname, port } = new URL(endpoint)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    socket.on('connect', () => {
      socket.destroy()
      resolve('connected')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}
