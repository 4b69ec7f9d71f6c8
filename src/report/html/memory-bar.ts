import type { Reconciliation } from '../../model.ts'
import { formatBytes, formatShare } from '../format.ts'
import { html, nothing, type Markup } from './markup.ts'
import { pageTable, shareBar } from './table.ts'

/** Colours that the style sheet knows; the rows after that share the last one. */
const tones = 8

/** What the RSS is made of: one bar of all parts, and the parts with their shares. */
export function memoryBar({ rows, rssBytes }: Reconciliation): Markup {
  const parts = rows.filter(({ bytes }) => bytes > 0).slice(0, 24)
  if (parts.length === 0 || rssBytes <= 0) return nothing
  let startBytes = 0
  const pieces = parts.map(({ what, bytes }, index) => {
    const x = (startBytes / rssBytes) * 1000
    startBytes += bytes
    return html`<rect class="${toneOf(index)}" x="${x}" width="${(bytes / rssBytes) * 1000}" height="36"
      ><title>${what}: ${formatBytes(bytes)}</title></rect
    >`
  })
  const table = pageTable(
    [
      { head: 'what', align: 'left' },
      { head: 'bytes', align: 'right' },
      { head: 'of RSS', align: 'right' },
      { head: '', align: 'left' },
    ],
    parts.map(({ what, bytes }, index) => ({
      cells: [
        {
          text: html`<span class="swatch"
              ><svg viewBox="0 0 10 10"><rect class="${toneOf(index)}" width="10" height="10" /></svg
            ></span>
            ${what}`,
        },
        { text: formatBytes(bytes), by: bytes },
        { text: formatShare(bytes / rssBytes), by: bytes },
        { text: shareBar(bytes / rssBytes, toneOf(index)) },
      ],
    })),
  )
  return html`<svg
      class="stack"
      viewBox="0 0 1000 36"
      preserveAspectRatio="none"
      role="img"
      aria-label="What the resident memory is made of"
    >
      ${pieces}</svg
    >${table}`
}

const toneOf = (index: number): string => `tone-${Math.min(index, tones - 1)}`
