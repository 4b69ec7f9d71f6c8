import { html, nothing, ownSource, type Markup } from './markup.ts'

/** A style sheet or script that goes into a page, with the hash by which the page's policy allows it. */
export type PageAsset = { readonly text: string; readonly sha256Base64: string }

export type PageAssets = { readonly style: PageAsset; readonly script: PageAsset }

type DocumentParts = {
  readonly title: string
  /** Above the title. */
  readonly eyebrow?: Markup | undefined
  readonly main: Markup
  /** Where forms may send to; nowhere unless told. */
  readonly formAction?: "'self'" | undefined
}

/**
 * A page that needs nothing else: no request, no script for what it shows. Its policy forbids whatever is not its own,
 * should something from a service ever get into it.
 */
export function renderDocument(
  { title, eyebrow = html`pyheap-watchd`, main, formAction }: DocumentParts,
  { style, script }: PageAssets,
): string {
  const policy =
    `default-src 'none'; style-src 'sha256-${style.sha256Base64}'; script-src 'sha256-${script.sha256Base64}'; ` +
    `base-uri 'none'; form-action ${formAction ?? "'none'"}`
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${ownSource(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${ownSource(`<style>${style.text}</style>`)}
      </head>
      <body>
        <header>
          <p class="eyebrow">${eyebrow}</p>
          <h1>${title}</h1>
        </header>
        <main>${main}</main>
        ${script.text === '' ? nothing : ownSource(`<script>${script.text}</script>`)}
      </body>
    </html> `
  return page.markup
}
