import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { execa } from 'execa'
import { findPythons } from '../setup/interpreters.ts'
import { buildWalker, canBuildWalker, walkerEnvironment } from '../setup/walker.ts'

const root = new URL('../..', import.meta.url).pathname
const pythons = findPythons()
const minors = new Set(pythons.map(({ version }) => version.split('.').slice(0, 2).join('.')))
const scratch = mkdtempSync(join(tmpdir(), 'pyheap-test-'))
const walker = join(scratch, 'walker.so')
const withoutCompiler = canBuildWalker() ? false : 'gcc is missing: the native walker is not tested'

before(async () => {
  if (!withoutCompiler) await buildWalker(walker)
})
after(() => rmSync(scratch, { recursive: true }))

test('there is a Python to test the payload with', (t) => {
  assert.notEqual(pythons.length, 0)
  const missing = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13', '3.14'].filter((minor) => !minors.has(minor))
  // No skip: most machines have one Python, and the payload is tested there all the same.
  if (missing.length > 0) t.diagnostic(`not here, so not tested with: CPython ${missing.join(', ')}`)
})

async function runTests(path: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const run = await execa(path, ['-m', 'unittest', 'discover', '-s', 'test/payload', '-t', 'test/payload'], {
    cwd: root,
    env: { PYTHONPATH: 'src', PYTHONDONTWRITEBYTECODE: '1', ...environment },
    reject: false,
    timeout: 240_000,
  })
  assert.equal(run.exitCode, 0, run.stderr)
  assert.match(run.stderr, /^Ran [1-9]\d* tests/m)
  return run.stderr
}

for (const { path, version } of pythons)
  test(
    `the payload passes its tests under CPython ${version}, walking in Python and natively`,
    { skip: withoutCompiler },
    async () => {
      const [, natively] = await Promise.all([runTests(path, {}), runTests(path, walkerEnvironment(walker))])
      assert.doesNotMatch(natively, /skipped/)
    },
  )
