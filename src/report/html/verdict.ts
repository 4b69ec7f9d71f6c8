import type { Findings, Suspect } from '../../model.ts'
import { formatBytes, formatChange } from '../format.ts'
import { html, nothing, type Markup } from './markup.ts'

/** The sentence to read first, and the suspects with their evidence. */
export const verdictOf = (findings: Findings): Markup =>
  html`<p class="headline verdict-${findings.verdict}">${findings.headline}</p>
    ${suspectsOf(findings.suspects)}`

function suspectsOf(suspects: readonly Suspect[]): Markup {
  if (suspects.length === 0) return nothing
  return html`<h2>Suspects</h2>
    <ol class="suspects">
      ${suspects.map(suspectOf)}
    </ol>`
}

function suspectOf({ title, bytes, grownBytes, evidence, confidence }: Suspect): Markup {
  const size =
    grownBytes === undefined
      ? formatBytes(bytes)
      : `${formatBytes(bytes)}, ${formatChange(grownBytes, formatBytes)}`
  const points = evidence.map((line) => html`<li>${line}</li>`)
  return html`<li>
    <strong>${title}</strong>
    <p class="note">${size} · confidence <span class="confidence-${confidence}">${confidence}</span></p>
    ${
      points.length === 0
        ? nothing
        : html`<ul>
            ${points}
          </ul>`
    }
  </li>`
}
