import { html, nothing, type Markup } from './markup.ts'

/** A part of the page with its head; nothing where it has no content. */
export const section = (id: string, head: string, content: Markup): Markup =>
  content.markup === ''
    ? nothing
    : html`<section id="${id}">
        <h2>${head}</h2>
        ${content}
      </section>`
