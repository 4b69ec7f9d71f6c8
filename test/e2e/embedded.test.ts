import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { pyheapctl } from '../setup/run-tool.ts'
import { RunningService, childrenOf, readStat, strayProcesses } from '../setup/service.ts'

const targets = new URL('../targets/', import.meta.url).pathname
const CAPTURES = 20

const app = join(targets, 'wsgi_app.py')
const uwsgi = (port: number, shape: string): string[] =>
  `--plugin python3 --http-socket 127.0.0.1:${port} --die-on-term --wsgi-file ${app} ${shape}`.split(' ')

const SERVERS = [
  {
    name: 'gunicorn',
    program: '/usr/bin/gunicorn',
    args: (port: number) => ['-w', '1', '-b', `127.0.0.1:${port}`, '--chdir', targets, 'wsgi_app'],
  },
  {
    name: 'uwsgi',
    program: '/usr/bin/uwsgi-core',
    args: (port: number) => uwsgi(port, '--master --processes 1'),
  },
  {
    name: 'uwsgi with threads',
    program: '/usr/bin/uwsgi-core',
    args: (port: number) => uwsgi(port, '--threads 4'),
  },
]

for (const { name, program, args } of SERVERS)
  test(`${name}: the dump names class and owner, and the service answers after ${CAPTURES} captures`, async (t) => {
    if (!existsSync(program)) return t.skip(`${program} is not installed`)
    if (process.getuid?.() !== 0) return t.skip('needs root, to trace processes')
    const port = await freePort()
    const store = mkdtempSync(join(tmpdir(), 'pyheap-store-'))
    const service = new RunningService(program, args(port))
    try {
      await answers(port)
      const worker = newestDescendant(service.pid)
      const family = familyOf(service.pid)
      for (let n = 0; n < CAPTURES; n++) {
        const { code, out, err } = await pyheapctl('capture', String(worker), '--store', store, '--json')
        assert.equal(code, 0, err)
        const { dump } = JSON.parse(out) as { dump: string }
        const census = JSON.parse(readFileSync(join(dump, 'census.json'), 'utf8')) as {
          owners: { scope: string; path: string; entryTypes: { type: string }[] }[]
        }
        const owner = census.owners.find(({ scope }) => scope.endsWith('.Baskets'))
        assert.equal(owner?.path, 'open', JSON.stringify(census.owners.slice(0, 3)))
        assert.match(owner.entryTypes[0]?.type ?? '', /\.Basket$/)
        assert.match(await answers(port), /baskets/)
      }
      assert.deepEqual(familyOf(service.pid), family, 'the service has the same processes as before')
      assert.deepEqual(strayProcesses(), [])
    } finally {
      await service.stop()
      rmSync(store, { recursive: true })
    }
  })

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

/** What the service says, as soon as it says anything. */
async function answers(port: number): Promise<string> {
  for (let tries = 0; tries < 200; tries++)
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5000) })
      return await response.text()
    } catch {
      await sleep(50)
    }
  throw new Error('the service does not answer')
}

/** A worker below a master, or the service itself. */
const newestDescendant = (pid: number): number => Math.max(...familyOf(pid))

function familyOf(pid: number): number[] {
  const children = childrenOf(pid).map((stat) => Number(stat.split(' ')[0]))
  return [pid, ...children.flatMap(familyOf)].toSorted((a, b) => a - b)
}

test('the tests themselves see processes', () => {
  assert.ok(readdirSync('/proc').includes(String(process.pid)))
  assert.match(readStat(process.pid), /^\d+ \(/)
})
