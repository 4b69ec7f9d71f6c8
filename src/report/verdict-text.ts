import type { Findings, Suspect } from '../model.ts'
import { formatBytes, formatChange } from './format.ts'
import { plainStyle, wrap, type TextStyle } from './layout.ts'
import { visible } from './visible.ts'

/** The lines that name the culprit: the headline, then each suspect with why it is one. */
export const renderVerdict = (findings: Findings, style: TextStyle = plainStyle): string =>
  `${verdictLines(findings, style).join('\n')}\n`

/** The same as lines, for a report that begins with them. */
export function verdictLines(findings: Findings, style: TextStyle): readonly string[] {
  const { palette, width } = style
  const headline = wrap(visible(findings.headline, 2000), width).map((line) => palette.bold(line))
  const suspects = findings.suspects
    .slice(0, 10)
    .flatMap((suspect, index) => suspectLines(suspect, index, style))
  return suspects.length === 0 ? headline : [...headline, '', ...suspects]
}

function suspectLines(suspect: Suspect, index: number, { palette, width }: TextStyle): readonly string[] {
  const grown = suspect.grownBytes === undefined ? '' : ` (${formatChange(suspect.grownBytes, formatBytes)})`
  const title = wrap(`${visible(suspect.title)}${grown}`, width, '   ', `${index + 1}. `)
  const paint = suspect.confidence === 'high' ? palette.red : palette.yellow
  const why = [...suspect.evidence.slice(0, 8), `confidence: ${suspect.confidence}`]
  return [
    ...title.map((line) => paint(line)),
    ...why
      .flatMap((line) => wrap(visible(line, 300), width, '     ', '   - '))
      .map((line) => palette.dim(line)),
  ]
}
