import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openBucket } from '../../src/bucket/client.ts'
import { sendDump } from '../../src/bucket/send-dump.ts'
import type { Upload } from '../../src/model.ts'

const digest = (name: 'md5' | 'sha256', bytes: Uint8Array, as: 'hex' | 'base64'): string =>
  createHash(name).update(bytes).digest(as)

/** Tags and encryption are what the real server of the other tests does not know, so here they are only looked at. */
test('tags, encryption and checksums go with an object, signed; what encryption makes of an ETag is read back', async () => {
  const path = mkdtempSync(join(tmpdir(), 'pyheap-headers-'))
  const content = Buffer.from('a census')
  const seen: { method: string; url: string; headers: IncomingHttpHeaders }[] = []
  let stored = content
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    seen.push({ method, url, headers })
    request.resume().on('end', () => {
      // With a key of its own the storage's ETag is no MD5.
      response.setHeader('etag', '"not-an-md5"')
      if (method === 'HEAD') response.setHeader('content-length', stored.length)
      response.end(method === 'GET' ? stored : undefined)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const upload: Upload = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket: 'dumps',
    region: 'eu-central-1',
    prefix: 'web-1',
    credentialsFile: undefined,
    bytesPerMs: undefined,
    encryption: 'aws:kms',
    kmsKey: 'alias/dumps',
    tags: { retention: 'short', team: 'a & b' },
    deleteLocal: false,
  }
  writeFileSync(join(path, 'census.json'), content)
  const file = { name: 'census.json', bytes: content.length, sha256: digest('sha256', content, 'hex') }
  const bucket = openBucket(
    upload,
    { accessKeyId: 'AK', secretAccessKey: 'secret' },
    { signal: new AbortController().signal },
  )
  const send = () =>
    sendDump(bucket, upload, { id: 'api/d', path, files: [file], record: undefined }, async () => undefined)
  try {
    assert.equal((await send()).kind, 'sent')
    const [put] = seen
    assert.deepEqual([put?.method, put?.url], ['PUT', '/dumps/web-1/api/d/census.json'])
    const headers = put?.headers ?? {}
    assert.equal(headers['content-md5'], digest('md5', content, 'base64'))
    assert.equal(headers['x-amz-meta-sha256'], file.sha256)
    assert.equal(headers['x-amz-server-side-encryption'], 'aws:kms')
    assert.equal(headers['x-amz-server-side-encryption-aws-kms-key-id'], 'alias/dumps')
    assert.equal(headers['x-amz-tagging'], 'retention=short&team=a+%26+b')
    for (const name of ['content-md5', 'x-amz-tagging', 'x-amz-server-side-encryption'])
      assert.ok(headers.authorization?.includes(name), name)
    assert.equal(seen.at(-1)?.method, 'GET')
    stored = Buffer.from('anything')
    const failed = await send()
    assert.ok(
      failed.kind === 'failed' &&
        failed.concerns === 'dump' &&
        /is not there what it is here/.test(failed.detail),
    )
  } finally {
    server.close()
    server.closeAllConnections()
    rmSync(path, { recursive: true })
  }
})
