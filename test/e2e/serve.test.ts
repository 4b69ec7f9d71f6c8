import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openInBrowser, withoutBrowser } from '../setup/browser.ts'
import { pyheapctl } from '../setup/run-tool.ts'
import { RunningService, startTarget } from '../setup/service.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root, to trace processes'
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-serve-'))
const store = join(scratch, 'store')
const ctl = new URL('../../dist/pyheapctl.js', import.meta.url).pathname
const ids: string[] = []

before(async () => {
  if (skip !== false) return
  const service = await startTarget('/usr/bin/python3', 'heap', '2000')
  try {
    for (let n = 0; n < 2; n++) {
      const { out } = await pyheapctl('capture', String(service.pid), '--json', '--store', store)
      ids.push((JSON.parse(out) as { id: string }).id)
    }
  } finally {
    await service.stop()
  }
})
after(() => rmSync(scratch, { recursive: true }))

/** Serves the store, on a port that is free. */
async function withServer(args: readonly string[], use: (address: string) => Promise<void>): Promise<void> {
  const server = new RunningService(process.execPath, [
    ctl,
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--store',
    store,
    ...args,
  ])
  try {
    await server.said('Ctrl-C ends it')
    await use(/^http:\S+$/m.exec(server.output)?.[0] ?? '')
  } finally {
    await server.stop()
    assert.equal(server.process.exitCode, 0)
  }
}

type Answer = { readonly status: number | undefined; readonly text: string; readonly policy: string }

/** As no browser would: any method, path and header. */
const ask = (address: string, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  new Promise<Answer>((resolve, reject) => {
    const sent = request(new URL(address), { path, headers, method }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () =>
        resolve({ status: response.statusCode, text, policy: String(response.headers['x-frame-options']) }),
      )
    })
    sent.on('error', reject).end()
  })

test('targets, dumps and comparisons are pages', { skip }, async () => {
  await withServer([], async (address) => {
    const index = await ask(address, '/')
    assert.equal(index.status, 200)
    const target = /href="(\/target\/[^"]+)"/.exec(index.text)?.[1] ?? ''
    const page = await ask(address, target)
    for (const id of ids) assert.ok(page.text.includes(`href="/dump/${id}"`), id)
    const dump = await ask(address, `/dump/${ids[1]}`)
    assert.match(dump.text, /Who holds the heap/)
    assert.match(dump.text, /href="\/target\//)
    const [a, b] = ids.map((id) => encodeURIComponent(id))
    const compared = await ask(address, `/compare?a=${a}&b=${b}`)
    assert.match(compared.text, /since the dump/)
    assert.equal(compared.policy, 'DENY')
  })
})

test('nothing else is answered', { skip }, async () => {
  await withServer([], async (address) => {
    for (const path of [
      '/target/nobody',
      '/dump/nobody/nothing',
      '/dump/..%2F..%2Fetc/passwd',
      '/dump/../../etc/passwd',
      '/compare?a=/etc&b=/etc',
      '/favicon.ico',
    ])
      assert.equal((await ask(address, path)).status, 404, path)
    assert.equal((await ask(address, '/', {}, 'POST')).status, 405)
    // A page of somebody else's, whose name leads here.
    assert.equal((await ask(address, '/', { host: 'evil.example' })).status, 403)
  })
})

test('a token is asked for, and only who has it gets in', { skip }, async () => {
  const file = join(scratch, 'token')
  writeFileSync(file, '0123456789abcdef\n')
  const basic = (token: string) => `Basic ${Buffer.from(`any:${token}`).toString('base64')}`
  await withServer(['--token-file', file], async (address) => {
    assert.equal((await ask(address, '/')).status, 401)
    assert.equal((await ask(address, '/', { authorization: basic('0123456789abcdeF') })).status, 401)
    assert.equal((await ask(address, '/', { authorization: basic('0123456789abcdef') })).status, 200)
    assert.equal((await ask(address, '/', { authorization: 'Bearer 0123456789abcdef' })).status, 200)
  })
})

test('other addresses are refused without a token', async () => {
  const args = ['serve', '--store', store]
  for (const listen of ['0.0.0.0:0', '[::]:0', 'example.org:80']) {
    const { code, err } = await pyheapctl(...args, '--listen', listen)
    assert.equal(code, 2, listen)
    assert.match(err, /--token-file/)
  }
  assert.equal((await pyheapctl(...args, '--listen', 'here')).code, 2)
  writeFileSync(join(scratch, 'short'), 'short')
  const short = await pyheapctl(...args, '--listen', '0.0.0.0:0', '--token-file', join(scratch, 'short'))
  assert.equal(short.code, 2)
})

test(
  'in a browser a target has its timeline and its dumps',
  { skip: skip === false ? withoutBrowser : skip },
  async () => {
    await withServer([], async (address) => {
      const target = ids[0]?.split('/')[0] ?? ''
      const page = await openInBrowser(`${address}target/${target}`, scratch)
      assert.match(page, /aria-label="RSS at each dump"/)
      assert.equal(page.match(/<circle class="dot"/g)?.length, 2)
      assert.match(page, /<button>What grew from A to B<\/button>/)
      assert.match(page, /<th scope="col" class="right"><button>RSS<\/button>/, 'the script did not run')
    })
  },
)
