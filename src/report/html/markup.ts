import { visible } from '../visible.ts'

/** Markup that may be sent as it is. Only `html` makes it, so nothing from outside can be in it unescaped. */
export type Markup = { readonly markup: string }

type Value = string | number | Markup | readonly Markup[] | undefined

/** Text as it may stand in a page: control characters spelled out, cut at 400, and escaped. */
const escapeText = (text: string): string =>
  visible(text, 400).replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`)

/** A template whose values are escaped, unless they are markup already; undefined is nothing. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Markup => ({
  markup: parts
    .map((part, index) => withoutIndent(part) + (index < values.length ? render(values[index]) : ''))
    .join(''),
})

// How the source is indented would be a third of the page.
const withoutIndent = (part: string): string => part.replaceAll(/\s*\n\s*/g, '\n')

function render(value: Value): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(Number(value.toFixed(2)))
  if (typeof value === 'string') return escapeText(value)
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('')
}

/** What is our own: the style sheet, the script, coordinates. The one text that is not escaped. */
export const ownSource = (text: string): Markup => ({ markup: text })

export const nothing: Markup = { markup: '' }
