// Runs every test/**/*.test.ts. A skip says which right or program is missing; on CI a skip is a failure, but for those
// that begin with `optional:`, which need what takes too long to make there.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const root = new URL('.', import.meta.url).pathname
const filter = process.argv.slice(2)
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => filter.length === 0 || filter.some((part) => name.includes(part)))
  .map((name) => join(root, name))
  .toSorted()

const skipped: string[] = []
let failed = 0
let passed = 0
// Tests take turns: they stop and snapshot processes, of which a host takes one at a time.
const stream = run({ files, concurrency: 1, timeout: 10 * 60_000 })
stream.on('test:fail', () => (failed += 1))
stream.on('test:pass', ({ name, skip }) => {
  if (skip === undefined) passed += 1
  else skipped.push(`${name}: ${String(skip)}`)
})
stream.on('end', () => {
  process.stdout.write(`\n${skipped.map((line) => `SKIPPED ${line}\n`).join('')}`)
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`)
  const isSkipFatal = process.env['CI'] === 'true' && skipped.some((line) => !line.includes(': optional: '))
  if (isSkipFatal) process.stdout.write('on CI a skipped test is a failed one\n')
  process.exitCode = failed > 0 || isSkipFatal || passed === 0 ? 1 : 0
})
stream.compose(new spec()).pipe(process.stdout)
