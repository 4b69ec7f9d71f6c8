import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { installation } from '../../src/installation.ts'
import type { Dump, Findings, Owner } from '../../src/model.ts'
import { readPageAssets } from '../../src/read-page-assets.ts'
import { renderPage } from '../../src/report/html/page.ts'
import { openInBrowser, withoutBrowser } from '../setup/browser.ts'
import { dump, findings } from './make-report.ts'

const assets = readPageAssets(installation.page)
const hostile =
  '</title><script>document.title = "taken"</script><img src=x onerror="document.title=\'taken\'">'

const history = Array.from({ length: 5000 }, (_, index) => ({
  secondsAgo: 4999 - index,
  rssBytes: (index === 2500 ? 3000 : 200 + index * 0.2) * 2 ** 20,
}))
const full: Dump = {
  ...dump,
  census: { ...dump.census, types: findings.types } as Dump['census'] & object,
  outside: { ...dump.outside, history },
}

test('a page shows the verdict, who holds the heap and what the memory is made of', () => {
  const page = renderPage(full, findings, assets)
  for (const part of [
    'POOL._dirty (set, 1,200 entries of Connection)',
    'aria-label="RSS over time"',
    'aria-label="What the resident memory is made of"',
    'aria-label="The heap by owner"',
    'aria-label="The heap by type"',
    'href="#owner-0"',
    'id="owner-0"',
    'threshold 1 GiB',
    'handle',
    'the service stood still for 31 ms',
  ])
    assert.ok(page.includes(part), `${part} is missing`)
})

test('a peak of one second is seen among thousands of points', () => {
  const peak = /class="line" points="([^"]*)"/.exec(renderPage(full, findings, assets))?.[1]?.split(' ') ?? []
  const heights = peak.map((point) => Number(point.split(',')[1]))
  assert.ok(peak.length > 100 && peak.length < 1500, `${peak.length} points`)
  const others = heights.toSorted((a, b) => a - b)
  assert.ok((others[0] ?? 0) < (others[1] ?? 0) - 50, 'the peak is not in the picture')
})

test('an OOM kill soon after stands in the picture, and one long after does not', () => {
  const killed = (at: string): string =>
    renderPage(
      { ...full, ending: { process: { bootId: 'b', pid: 1, startTicks: 1 }, how: 'oom-killed', at } },
      findings,
      assets,
    )
  const after = (seconds: number): string =>
    new Date(Date.parse(full.outside.takenAt) + seconds * 1000).toISOString()
  assert.match(killed(after(30)), />\s*OOM kill\s*<\/text/)
  assert.doesNotMatch(killed(after(864_000)), /OOM kill\s*<\/text/)
})

test('who is suspected is red in the picture of the heap', () => {
  const [first = assert.fail('no owner')] = full.census?.owners ?? []
  const { kind, scope, path } = first
  const [suspect = assert.fail('no suspect')] = findings.suspects
  const accused = { ...findings, suspects: [{ ...suspect, owner: { kind, scope, path } }] }
  assert.match(renderPage(full, accused, assets), /class="tile of-suspect"/)
  assert.doesNotMatch(renderPage(full, findings, assets), /of-suspect"/)
})

test('a dump without a census, a history and a baseline is a page all the same', () => {
  const { census: _none, ...outside } = dump
  const { baseline: _also, ...alone } = findings
  const page = renderPage(outside, { ...alone, suspects: [], types: [] }, assets)
  assert.ok(page.includes('What the resident memory is made of'))
  assert.ok(!page.includes('Who holds the heap') && !page.includes('aria-label="RSS over time"'))
})

test('the page of the largest census that a dump may hold stays under 2 MB', () => {
  const owners = Array.from({ length: 400 }, (_, index) => ({
    ...owner(`PATH_${index}`),
    bytes: 1e6 - index,
  }))
  const types = Array.from({ length: 100 }, (_, index) => ({
    type: `package.module.Class${index}`,
    count: index,
    bytes: 1e6 - index,
    grownCount: 1,
    grownBytes: 1,
  }))
  const large = { ...full, census: { ...full.census, owners, types } as Dump['census'] & object }
  assert.ok(renderPage(large, { ...findings, types }, assets).length < 2e6)
})

function owner(path: string): Owner {
  const types = Array.from({ length: 8 }, (_, index) => ({ type: `some.Type${index}`, count: 9, bytes: 999 }))
  const entryTypes = types.slice(0, 5).map(({ type, count }) => ({ type, count }))
  const size = { entries: 1200, entryTypes, objects: 2400, bytes: 2 ** 20, types, notes: ['a note on it'] }
  return { kind: 'module', scope: 'shop.broker', path, type: 'set', ...size }
}

test(
  'in a browser nothing from the service runs, and the tables can be searched',
  { skip: withoutBrowser },
  async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'pyheap-page-'))
    try {
      const owners = Array.from({ length: 20 }, (_, index) => owner(`${hostile}${index}`))
      const attacked: Dump = {
        ...full,
        manifest: {
          ...full.manifest,
          target: hostile,
          process: { ...full.manifest.process, cmdline: [hostile] },
        },
        census: { ...full.census, owners } as Dump['census'] & object,
      }
      const said: Findings = { ...findings, headline: hostile, baseline: hostile }
      const page = renderPage(attacked, said, assets)
      assert.ok(!page.includes('<script>document.title'), 'a name of the service is markup')
      writeFileSync(join(scratch, 'page.html'), page)
      const stdout = await openInBrowser(`file://${join(scratch, 'page.html')}`, scratch)
      const title = /<title>(.*?)<\/title>/.exec(stdout)?.[1] ?? ''
      assert.match(title, /document\.title/, 'the title is not the text that it was')
      assert.match(stdout, /placeholder="search 20 rows"/, 'the script of the page did not run')
      assert.match(stdout, /<th scope="col" class="right"><button>bytes<\/button>/)
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  },
)
