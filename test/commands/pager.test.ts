import assert from 'node:assert/strict'
import { test } from 'node:test'
import { execa } from 'execa'
import { addDump, makeStore } from '../store/make-store.ts'

const ctl = new URL('../../dist/pyheapctl.js', import.meta.url).pathname

/** What a terminal of so many lines shows. */
async function onTerminal(rows: number, pager: string, storeDir: string): Promise<string> {
  const command = `stty rows ${rows} cols 80; '${process.execPath}' '${ctl}' show latest --store '${storeDir}'`
  const { stdout } = await execa('script', ['-qec', command, '/dev/null'], { env: { PAGER: pager } })
  return stdout
}

test('what a terminal has no room for goes through a pager, if there is one', async (context) => {
  const store = await makeStore(context)
  const { dir } = store
  await addDump(store)
  assert.match(await onTerminal(5, 'sed s/^/PAGED/', dir), /^PAGED.*Process/m)
  assert.doesNotMatch(await onTerminal(500, 'sed s/^/PAGED/', dir), /PAGED/)
  assert.match(await onTerminal(5, '', dir), /Process/)
  assert.match(await onTerminal(5, 'no-such-pager', dir), /Process/)
})
