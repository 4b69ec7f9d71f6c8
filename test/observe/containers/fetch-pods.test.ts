import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { after, beforeEach, test } from 'node:test'
import { fetchPods, MOST_BYTES, type PodsPlace } from '../../../src/observe/containers/fetch-pods.ts'
import { answerJson, startPodsServer } from '../../setup/pods-server.ts'

const server = await startPodsServer()
after(() => server.close())

const list = { kind: 'PodList', items: [] }
const place = (given: Partial<PodsPlace> = {}): PodsPlace => ({
  url: server.url,
  tokenFile: server.tokenFile,
  caFile: server.caFile,
  isCaOptional: false,
  ...given,
})
const fetch = (given: Partial<PodsPlace> = {}, timeoutMs = 5000) =>
  fetchPods(place(given), new AbortController().signal, timeoutMs)

/** Why it was not answered, and what is advised. */
const refused = async (given: Partial<PodsPlace> = {}, timeoutMs = 5000): Promise<string> => {
  const fetched = await fetch(given, timeoutMs)
  assert.ok(fetched.kind === 'failed')
  return `${fetched.detail}; ${fetched.hint}`
}

beforeEach(() => {
  server.answer = answerJson(list)
  server.setToken('first-token')
  writeFileSync(server.tokenFile, 'first-token\n')
})

test('who has the token and the CA is answered', async () => {
  const fetched = await fetch()
  assert.ok(fetched.kind === 'fetched')
  assert.deepEqual(JSON.parse(fetched.text), list)
  assert.equal(server.asked.at(-1), '/pods')
})

test('a token that is replaced is read anew', async () => {
  server.setToken('second-token')
  assert.match(await refused(), /^HTTP 401; the token is not taken/)
  writeFileSync(server.tokenFile, 'second-token')
  assert.equal((await fetch()).kind, 'fetched')
})

test('no token, or none that is one', async () => {
  assert.match(
    await refused({ tokenFile: '/nonexistent/token' }),
    /token cannot be read: ENOENT; run with a service account/,
  )
  writeFileSync(server.tokenFile, 'two\nlines: of headers')
  assert.match(await refused(), /holds no token/)
  rmSync(server.tokenFile)
  assert.match(await refused(), /ENOENT/)
})

test('whom another CA vouches for is asked nothing', async () => {
  const asked = server.asked.length
  assert.match(await refused({ caFile: '/nonexistent/ca.crt' }), /ca.crt cannot be read: ENOENT/)
  assert.match(
    await refused({ caFile: '/nonexistent/ca.crt', isCaOptional: true }),
    /CERT|VERIFY|ISSUER.*; \/nonexistent\/ca.crt is not there, and the system does not trust its certificate/,
  )
  assert.match(
    await refused({ url: server.url.replace('127.0.0.1', 'localhost') }),
    /ERR_TLS_CERT_ALTNAME_INVALID.*a name that the certificate is for/,
  )
  assert.equal(server.asked.length, asked)
})

for (const [what, status, expected] of [
  ['not allowed to the kubelet', 403, /^HTTP 403; .* may get nodes\/pods \(/],
  ['not there', 404, /^HTTP 404; kubernetes\.pods_url needs the whole path/],
  ['busy', 503, /^HTTP 503; it is asked again/],
] as const) {
  test(`an answer that is none: ${what}`, async () => {
    server.answer = (_, response) => response.writeHead(status).end('{}')
    assert.match(await refused(), expected)
  })
}

test('who may not list pods is told so', async () => {
  server.answer = (_, response) => response.writeHead(403).end()
  const url = server.url.replace('/pods', '/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1')
  assert.match(await refused({ url }), /needs a ClusterRole that may list pods/)
})

test('a redirect is not followed: the token is for nobody else', async () => {
  server.answer = (_, response) => response.writeHead(302, { location: `${server.url}/other` }).end()
  const asked = server.asked.length
  assert.match(await refused(), /^HTTP 302; redirects are not followed/)
  assert.equal(server.asked.length, asked + 1)
})

test('an answer without end is cut off', async () => {
  server.answer = (_, response) => {
    const piece = Buffer.alloc(1024 * 1024, 'x')
    for (let written = 0; written <= MOST_BYTES; written += piece.length) response.write(piece)
    response.end()
  }
  assert.match(await refused(), /^the answer has more than 32 MiB; ask for the pods of this node alone/)
})

test('who is slow, or begins and never ends, is given up', async () => {
  server.answer = () => undefined
  assert.match(await refused({}, 200), /^no answer within 0\.2 s/)
  server.answer = (_, response) => void response.write('{"kind":')
  assert.match(await refused({}, 200), /^no answer within 0\.2 s/)
})

test('who breaks off, and who is not there', async () => {
  server.answer = (_, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('{"kind":')
    setTimeout(() => response.destroy(), 50)
  }
  assert.match(await refused(), /ECONNRESET|aborted/)
  assert.match(await refused({ url: 'https://127.0.0.1:1/pods' }), /ECONNREFUSED.*see kubernetes\.pods_url/)
  assert.match(await refused({ url: 'https://nobody.invalid/pods' }), /ENOTFOUND|EAI_AGAIN/)
})
