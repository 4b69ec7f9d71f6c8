import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSource, fileProblem, formatProblems, problemAt } from '../../src/config/problem.ts'

const source = createSource('a.yaml', 'one: 1\r\n\ttwo: \u001B[31m2\nlast: 3')

const PLACES: readonly (readonly [string, number, number])[] = [
  ['one', 1, 1],
  ['two', 2, 2],
  ['\u001B', 2, 7],
  ['last', 3, 1],
]

for (const [word, line, column] of PLACES) {
  test(`${JSON.stringify(word)} is at ${line}:${column}`, () => {
    const problem = problemAt({ source, offset: source.text.indexOf(word) }, 'wrong')
    assert.deepEqual([problem.line, problem.column], [line, column])
  })
}

test('an offset beyond the end is the end', () => {
  assert.equal(problemAt({ source, offset: 1000 }, 'wrong').line, 3)
})

test('the caret stands under the place, and no control character reaches the terminal', () => {
  const problem = problemAt({ source, offset: source.text.indexOf('2') }, 'bad\u009B')
  assert.equal(
    formatProblems([problem], { colour: false }),
    'a.yaml:2:12: bad\uFFFD\n     two: \uFFFD[31m2\n               ^\n',
  )
})

test('a problem of a whole file has no line', () => {
  assert.equal(formatProblems([fileProblem('a.yaml', 'is gone')], { colour: false }), 'a.yaml: is gone\n')
})

test('a line too long to show is left out', () => {
  const long = createSource('a.yaml', `a: ${'x'.repeat(1000)}`)
  const problem = problemAt({ source: long, offset: 3 }, 'wrong')
  assert.equal(formatProblems([problem], { colour: false }), 'a.yaml:1:4: wrong\n')
})

test('colour is only there when it is asked for', () => {
  const problem = problemAt({ source, offset: 0 }, 'wrong')
  assert.ok(formatProblems([problem], { colour: true }).includes('\u001B['))
  assert.ok(!formatProblems([problem], { colour: false }).includes('\u001B['))
})

test('of thousands of problems the first fifty are shown and the others counted', () => {
  const problems = Array.from({ length: 1050 }, () => fileProblem('a.yaml', 'wrong'))
  const lines = formatProblems(problems, { colour: false }).trimEnd().split('\n')
  assert.equal(lines.length, 51)
  assert.equal(lines.at(-1), '... and 1000 more')
})
