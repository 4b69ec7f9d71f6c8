import assert from 'node:assert/strict'
import { test } from 'node:test'
import { execa } from 'execa'
import { findPythons } from '../setup/interpreters.ts'

const root = new URL('../..', import.meta.url).pathname
const pythons = findPythons()
const minors = new Set(pythons.map(({ version }) => version.split('.').slice(0, 2).join('.')))

test('there is a Python to test the payload with', (t) => {
  assert.notEqual(pythons.length, 0)
  const missing = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13', '3.14'].filter((minor) => !minors.has(minor))
  // No skip: most machines have one Python, and the payload is tested there all the same.
  if (missing.length > 0) t.diagnostic(`not here, so not tested with: CPython ${missing.join(', ')}`)
})

for (const { path, version } of pythons) {
  test(`the payload passes its tests under CPython ${version}`, async () => {
    const run = await execa(
      path,
      ['-m', 'unittest', 'discover', '-s', 'test/payload', '-t', 'test/payload'],
      {
        cwd: root,
        env: { PYTHONPATH: 'src', PYTHONDONTWRITEBYTECODE: '1' },
        reject: false,
        timeout: 120_000,
      },
    )
    assert.equal(run.exitCode, 0, run.stderr)
    assert.match(run.stderr, /^Ran [1-9]\d* tests/m)
  })
}
