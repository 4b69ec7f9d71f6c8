// npm run demo: a leaking service under a memory limit is caught by the daemon, and its leak is named.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import picocolors from 'picocolors'
import { createMemoryCgroup } from '../setup/memory-cgroup.ts'
import { RunningService } from '../setup/service.ts'

const LIMIT = 400 * 2 ** 20
const WITHIN_MS = 90_000
const root = new URL('../../', import.meta.url).pathname
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-demo-'))
const store = join(scratch, 'store')
const config = join(scratch, 'config.yaml')

writeFileSync(
  config,
  `store: { dir: ${store}, reserve: 64MiB }
sampling: { interval: 500ms, discovery: 500ms }
targets:
  - { name: shop, match: { cmdline: 'demo/shop\\.py' } }
rules:
  - { name: near-limit, when: { limit: { above: 75% } }, for: 0s }
baseline: { after: 3s }
`,
)

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const step = (text: string): void => say(picocolors.cyan(`\n▸ ${text}`))

const cgroup = createMemoryCgroup('pyheap-demo', LIMIT)
const shop = new RunningService('/usr/bin/python3', [join(root, 'test/demo/shop.py'), '20'])
let daemon: RunningService | undefined
try {
  await shop.said('ready')
  cgroup?.add(shop.pid)
  const url = /http\S+/.exec(shop.output)?.[0] ?? ''
  step(`a web shop leaks some MB a second, pid ${shop.pid}, memory limit ${LIMIT / 2 ** 20} MiB: ${url}`)
  step('pyheap-watchd watches it: a baseline after 3 s, a capture at 75 % of the limit')
  daemon = new RunningService(process.execPath, [join(root, 'dist/pyheap-watchd.js'), '--config', config])
  const dump = await awaitDump()
  const health = await (await fetch(url)).text()
  step('the rule has fired, and the dump says:')
  say(readFileSync(join(dump, 'summary.txt'), 'utf8').trimEnd())
  const { pause_ms: pauseMs, rss_bytes: rss } = JSON.parse(readFileSync(join(dump, 'dump.json'), 'utf8')) as {
    pause_ms: number
    rss_bytes: number
  }
  step(
    `meanwhile the service stood still for ${pauseMs} ms at ${Math.round(rss / 2 ** 20)} MiB, and still answers: ${health.trim()}`,
  )
  step(`the dump, which goes with the demo: ${dump}`)
  for (const name of readdirSync(dump)) say(`    ${name}`)
  say(`\nTry it on a service of yours:  node dist/pyheapctl.js capture PID`)
} catch (error) {
  say(
    `\nthe demo did not work: ${String(error)}\n--- the daemon said:\n${daemon?.output ?? ''}\n--- the shop said:\n${shop.output}`,
  )
  process.exitCode = 1
} finally {
  await daemon?.stop()
  await shop.stop()
  await cgroup?.remove()
  rmSync(scratch, { recursive: true, force: true })
  step('cleaned up')
}

/** The first dump that the rule has made. */
async function awaitDump(): Promise<string> {
  const end = performance.now() + WITHIN_MS
  while (performance.now() < end) {
    const found = listDumps().find((name) => name.endsWith('-near-limit'))
    if (found !== undefined) return join(store, 'shop', found)
    if (daemon?.isAlive !== true || !shop.isAlive) throw new Error('the daemon or the shop has ended')
    await sleep(100)
  }
  throw new Error(`no dump within ${WITHIN_MS / 1000} s`)
}

function listDumps(): string[] {
  try {
    return readdirSync(join(store, 'shop'))
  } catch {
    return [] // before the first one
  }
}
