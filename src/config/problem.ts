import picocolors from 'picocolors'
import { LineCounter } from 'yaml'

/** A text that is being parsed, with what it takes to name a line of it. */
export type Source = { readonly path: string; readonly text: string; readonly lines: LineCounter }

/** Where something stands: at `offset` of a source. */
export type Place = { readonly source: Source; readonly offset: number }

/** One mistake; line and column count from 1, and are 0 when it concerns the file as a whole. */
export type Problem = {
  readonly path: string
  readonly line: number
  readonly column: number
  readonly message: string
  /** Empty where a line is too long to show. */
  readonly sourceLine: string
}

const LONGEST_LINE = 200
const MOST_SHOWN = 50

/** A text ready to have places in it. */
export const createSource = (path: string, text: string): Source => {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1)
  return { path, text, lines }
}

/** A problem at a place. */
export const problemAt = ({ source, offset }: Place, message: string): Problem => {
  const { line, col } = source.lines.linePos(Math.min(offset, source.text.length))
  const start = source.lines.lineStarts[line - 1] ?? 0
  const end = source.lines.lineStarts[line] ?? source.text.length
  const sourceLine = end - start > LONGEST_LINE ? '' : source.text.slice(start, end).trimEnd()
  return { path: source.path, line, column: col, message, sourceLine }
}

/** A problem of a file as a whole. */
export const fileProblem = (path: string, message: string): Problem => ({
  path,
  line: 0,
  column: 0,
  message,
  sourceLine: '',
})

/** Problems for people: `file:line:column: message`, the line, and a caret under the place. */
export const formatProblems = (
  problems: readonly Problem[],
  options: { readonly colour: boolean },
): string => {
  const colours = picocolors.createColors(options.colour)
  const blocks = problems.slice(0, MOST_SHOWN).map((problem) => {
    const where = [problem.path, ...(problem.line > 0 ? [problem.line, problem.column] : [])].join(':')
    const head = `${colours.bold(printable(where))}: ${colours.red(printable(problem.message))}\n`
    if (problem.sourceLine === '') return head
    const caret = `${' '.repeat(problem.column - 1)}${colours.red('^')}`
    return `${head}    ${printable(problem.sourceLine)}\n    ${caret}\n`
  })
  const left = problems.length - MOST_SHOWN
  return blocks.join('') + (left > 0 ? `... and ${left} more\n` : '')
}

// One character for one, so that the caret stays under its place. A config must not be able to steer a terminal.
const printable = (text: string): string => text.replaceAll('\t', ' ').replaceAll(/[\p{Cc}\p{Cf}]/gu, '�')
