import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Notice, Webhook } from '../../src/model.ts'
import { webhookReceiver } from '../../src/service/webhook.ts'

const notice: Notice = {
  event: 'captured',
  at: '2026-01-01T00:00:00.000Z',
  host: 'web-1',
  message: 'api (pid 7) was captured by near-limit at 1 GiB',
  headline: 'RSS 1 GiB; module <!channel>: `X` & co keeps 900 MiB',
  suspects: [{ kind: 'owner', title: 'module app: X (dict)', bytes: 900 * 2 ** 20, confidence: 'high' }],
  dump: '/var/lib/pyheap/api/x',
  pause_ms: 8,
}

type Call = { readonly headers: IncomingHttpHeaders; readonly body: string }

/** Tells one notice to a server that answers with these codes, one after the other. */
async function tellTo(codes: readonly number[], given: Partial<Webhook> = {}) {
  const calls: Call[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => (body += String(part)))
    request.on('end', () => {
      calls.push({ headers: request.headers, body })
      const code = codes[calls.length - 1] ?? 500
      response.writeHead(code, code === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end('no thanks')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`
  const scratch = mkdtempSync(join(tmpdir(), 'pyheap-webhook-'))
  writeFileSync(join(scratch, 'url'), `${url}\n`)
  writeFileSync(join(scratch, 'token'), 't0ken\n')
  const hook: Webhook = {
    name: 'w',
    on: ['captured'],
    url: { kind: 'file', file: join(scratch, 'url') },
    format: 'slack',
    tokenFile: join(scratch, 'token'),
    ...given,
  }
  try {
    const problem = await webhookReceiver(hook, new AbortController().signal, [1, 1]).tell(notice)
    return { calls, problem }
  } finally {
    server.close()
    rmSync(scratch, { recursive: true })
  }
}

test('a text as Slack reads it, in which a name from a service mentions nobody', async () => {
  const { calls, problem } = await tellTo([200])
  assert.equal(problem, undefined)
  assert.equal(calls[0]?.headers['authorization'], 'Bearer t0ken')
  const { text } = JSON.parse(calls[0]?.body ?? '') as { text: string }
  assert.match(text, /^:mag: \*web-1\*: api \(pid 7\) was captured/)
  assert.match(text, /&lt;!channel&gt;: ˋXˋ &amp; co/)
  assert.match(text, /• module app: X \(dict\) \(900 MiB, high confidence\)\n`\/var\/lib\/pyheap\/api\/x`/)
})

test('or everything as data', async () => {
  const { calls } = await tellTo([204], { format: 'json', tokenFile: undefined })
  assert.deepEqual(JSON.parse(calls[0]?.body ?? ''), notice)
  assert.equal(calls[0]?.headers['authorization'], undefined)
})

test('who is busy is asked again, who refuses is not, and nobody is followed elsewhere', async () => {
  const busy = await tellTo([503, 429, 200])
  assert.deepEqual([busy.calls.length, busy.problem], [3, undefined])
  const down = await tellTo([500, 500, 500])
  assert.deepEqual([down.calls.length, down.problem], [3, 'HTTP 500: no thanks'])
  const refused = await tellTo([403])
  assert.deepEqual([refused.calls.length, refused.problem], [1, 'HTTP 403: no thanks'])
  assert.ok((await tellTo([302, 302, 302])).problem)
})

test('a secret that is missing is told by its file, and one that is there by nobody', async () => {
  const { problem } = await tellTo([200], { url: { kind: 'file', file: '/nowhere/url' } })
  assert.match(problem ?? '', /\/nowhere\/url/)
  assert.doesNotMatch((await tellTo([500, 500, 500])).problem ?? '', /secret-path/)
})
