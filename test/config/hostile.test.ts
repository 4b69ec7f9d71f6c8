import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { checkCron } from './cron.ts'

const LETTERS = 'bcdefghij'.split('')
const nines = (item: string): string => Array.from({ length: 9 }, () => item).join(', ')
const bomb =
  `a: &a [${nines('x')}]\n` +
  LETTERS.map((letter, index) => `${letter}: &${letter} [${nines(`*${['a', ...LETTERS][index]}`)}]\n`).join(
    '',
  )

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n')

const nearly = (count: number, length: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${'x'.repeat(length)}${index}`)

// 40 times 200 names to be compared with 200 others, letter by letter.
const nearlyEqual =
  lines(
    40,
    (index) =>
      `${index === 0 ? 'rules:\n' : ''}- { name: r${index}, targets: [${nearly(200, 58).join(', ')}] }`,
  ) +
  `\ntargets:\n${nearly(200, 57)
    .map((name) => `- { name: ${name} }\n`)
    .join('')}`

// Each would take minutes, gigabytes or the whole program if it were read as it stands.
const HOSTILE: readonly (readonly [string, string, RegExp])[] = [
  ['a bomb of aliases', bomb, /too long .* aliases/],
  ['an alias of itself', 'store: &a [*a]', /nested too deeply/],
  ['a megabyte of open brackets', '['.repeat(2 ** 20), /nested too deeply/],
  ['a megabyte of open braces', '{a: '.repeat(2 ** 18), /nested too deeply/],
  ['a megabyte of dashes', '- '.repeat(2 ** 19), /nested too deeply/],
  ['a megabyte of empty lines', '\n'.repeat(2 ** 20), /too long/],
  ['a hundred thousand keys', lines(100_000, (index) => `k${index}: 1`), /too long/],
  ['more than a megabyte', `# ${'x'.repeat(2 ** 20)}`, /larger than 1 MiB/],
  ['thousands of nearly equal names', nearlyEqual, /no target named/],
]

for (const [name, text, message] of HOSTILE) {
  test(`${name} is refused in bounded time`, () => {
    const startMs = performance.now()
    const result = parseConfig([{ path: 'a.yaml', text }], { checkCron })
    // Ten times what a slow machine takes, a tenth of what it would take without bounds.
    assert.ok(performance.now() - startMs < 15_000)
    assert.ok(result.kind === 'invalid')
    assert.ok(result.problems.some((problem) => message.test(problem.message)))
  })
}

test('a long text is shown short', () => {
  const result = parseConfig([{ path: 'a.yaml', text: `sampling: { probe: ${'x'.repeat(100_000)} }` }], {
    checkCron,
  })
  assert.ok(result.kind === 'invalid')
  assert.deepEqual(
    result.problems.map(({ message, sourceLine }) => [message.length < 200, sourceLine]),
    [[true, '']],
  )
})
