import { html, nothing, type Markup } from './markup.ts'

/** A column; one of numbers stands right, and is sorted by the number behind the text. */
export type PageColumn = { readonly head: string; readonly align: 'left' | 'right' }

export type PageCell = {
  readonly text: string | Markup
  /** What the column is sorted by; the text itself where there is none. */
  readonly by?: number | undefined
  readonly tone?: 'grown' | 'shrunk' | undefined
}

export type PageRow = { readonly id?: string | undefined; readonly cells: readonly PageCell[] }

/** A table that the page's script makes sortable and searchable; without the script it is a table. */
export function pageTable(columns: readonly PageColumn[], rows: readonly PageRow[]): Markup {
  if (rows.length === 0) return nothing
  const heads = columns.map(({ head, align }) => html`<th scope="col" class="${align}">${head}</th>`)
  return html`<div class="scroll">
    <table data-sortable>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => rowOf(row, columns))}
      </tbody>
    </table>
  </div>`
}

const rowOf = ({ id, cells }: PageRow, columns: readonly PageColumn[]): Markup =>
  html`<tr${id === undefined ? nothing : html` id="${id}"`}>${cells.map((cell, index) => cellOf(cell, columns[index]?.align ?? 'left'))}</tr>`

function cellOf({ text, by, tone }: PageCell, align: string): Markup {
  const key = by === undefined ? nothing : html` data-by="${by}"`
  return html`<td class="${align}${tone === undefined ? '' : ` ${tone}`}" ${key}>${text}</td>`
}

/** A bar from 0 to 1 of its cell's width. */
export const shareBar = (share: number, tone = 'fill'): Markup =>
  html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect class="${tone}" width="${Math.min(100, Math.max(0, share * 100))}" height="10" />
  </svg>`
