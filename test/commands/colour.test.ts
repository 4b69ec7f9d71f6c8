import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { execa } from 'execa'
import { addDump, makeStore } from '../store/make-store.ts'

const dist = (name: string): string => new URL(`../../dist/${name}.js`, import.meta.url).pathname

// What libraries for colours take for a terminal that has them.
for (const env of [{}, { CI: 'true' }, { TERM: 'xterm-256color', COLORTERM: 'truecolor' }])
  test(`in a pipe nothing has colours, with ${JSON.stringify(env)}`, async (context) => {
    const store = await makeStore(context)
    await addDump(store)
    const config = join(store.dir, 'broken.yaml')
    writeFileSync(config, 'rules: [{ name: a }]\n')
    const run = async (name: string, ...args: readonly string[]): Promise<string> => {
      const { all } = await execa(process.execPath, [dist(name), ...args], { env, all: true, reject: false })
      return all
    }
    const texts = [
      await run('pyheapctl', 'list', '--store', store.dir),
      await run('pyheapctl', 'show', '--store', store.dir),
      await run('pyheapctl', 'check', config),
      await run('pyheap-watchd', '--check', '--config', config),
    ]
    for (const text of texts) {
      assert.ok(text.length > 20, text)
      assert.ok(!text.includes('\u001b'), text)
    }
  })
