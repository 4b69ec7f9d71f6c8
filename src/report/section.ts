import { wrap, type TextStyle } from './layout.ts'

/** One part of a report: a head and its lines. */
export type Section = { readonly head: string; readonly lines: readonly string[] }

/** A section with its head, or nothing when it has no lines. */
export const sectionLines = ({ head, lines }: Section, { palette }: TextStyle): readonly string[] =>
  lines.length === 0 ? [] : ['', palette.cyan(head), ...lines.map((line) => (line === '' ? '' : `  ${line}`))]

/** A fact with its name before it, over as many lines as it needs. */
export const factLines = (name: string, text: string, width: number): readonly string[] =>
  wrap(text, width - 2, ' '.repeat(11), `${name.padEnd(10)} `)
