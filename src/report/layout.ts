import { fit, fitEnd, widthOf } from './visible.ts'

type Paint = (text: string) => string

/** The colours that reports use; picocolors' `createColors` gives one, switched on or off. */
export type Palette = {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

/** How text is to come out. */
export type TextStyle = { readonly palette: Palette; readonly width: number }

const same: Paint = (text) => text

/** No colours, and the width that fits everywhere: what goes into files. */
export const plainStyle: TextStyle = {
  palette: { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same },
  width: 80,
}

/** Breaks text at spaces into lines of at most `width` columns; the first begins with `first`, the others with `indent`. */
export function wrap(text: string, width: number, indent = '', first = ''): readonly string[] {
  const room = Math.max(10, width - Math.max(indent.length, first.length))
  const [head = '', ...words] = text.split(' ').flatMap((word) => breakWord(word, room))
  const lines: string[] = []
  let line = first + head
  for (const word of words) {
    if (widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = indent + word
    } else line = `${line} ${word}`
  }
  return [...lines, line]
}

// A name may be longer than a line.
function breakWord(word: string, width: number): readonly string[] {
  if (widthOf(word) <= width) return [word]
  const pieces: string[] = []
  let piece = ''
  for (const character of word) {
    if (widthOf(piece) + widthOf(character) > width) {
      pieces.push(piece)
      piece = ''
    }
    piece += character
  }
  return [...pieces, piece]
}

/** A column of a table: numbers stand right; at most one column gives way where the line is too long. */
export type Column = {
  readonly head: string
  readonly align: 'left' | 'right'
  readonly gives?: boolean
  /** Of a path, the end says most. */
  readonly cuts?: 'front'
}

export type Cell = { readonly text: string; readonly paint?: Paint | undefined }

/** A table of visible text that fits the width. */
export function layOutTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { palette, width }: TextStyle,
): readonly string[] {
  const heads = columns.map(({ head }) => ({ text: head, paint: palette.dim }))
  const widths = chooseWidths(columns, [heads, ...rows], width)
  return [heads, ...rows].map((row) =>
    columns
      .map((column, index) => padCell(row[index] ?? { text: '' }, widths[index] ?? 0, column))
      .join('  ')
      .trimEnd(),
  )
}

function chooseWidths(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
): readonly number[] {
  const wanted = columns.map((_, index) => Math.max(...rows.map((row) => widthOf(row[index]?.text ?? ''))))
  const tooWide = wanted.reduce((sum, columnWidth) => sum + columnWidth + 2, -2) - width
  return wanted.map((columnWidth, index) =>
    tooWide > 0 && columns[index]?.gives === true ? Math.max(8, columnWidth - tooWide) : columnWidth,
  )
}

function padCell({ text, paint = same }: Cell, width: number, { align, cuts }: Column): string {
  const fitted = cuts === 'front' ? fitEnd(text, width) : fit(text, width)
  const padding = ' '.repeat(Math.max(0, width - widthOf(fitted)))
  return align === 'right' ? padding + paint(fitted) : paint(fitted) + padding
}
