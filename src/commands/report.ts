import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installation } from '../installation.ts'
import { readPageAssets } from '../read-page-assets.ts'
import { renderPage } from '../report/html/page.ts'
import { EXIT } from './exit-codes.ts'
import { findDump, findingsOf } from './find-dump.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export type ReportOptions = CommonOptions & { readonly html: string }

/** `pyheapctl report DUMP --html FILE`: a dump as one self-contained page; `-` writes it to stdout. */
export async function reportCommand(
  argument: string,
  options: ReportOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const { store } = settings
  const dump = await findDump(store, argument, terminal)
  if (typeof dump === 'number') return dump
  const findings = await findingsOf(dump, store.dir)
  const page = renderPage(dump, findings, readPageAssets(installation.page))
  if (options.html === '-') terminal.out(page)
  else if (!(await tryWrite(options.html, page, terminal))) return EXIT.store
  else
    terminal.out(
      options.json === true
        ? JSON.stringify({ dump: dump.path, html: resolve(options.html), bytes: page.length })
        : pathToFileURL(options.html).href,
    )
  return EXIT.ok
}

async function tryWrite(file: string, page: string, terminal: Terminal): Promise<boolean> {
  try {
    // A report tells of a service's inside: it is for who may read the dump.
    await writeFile(file, page, { mode: 0o640 })
    return true
  } catch (error) {
    terminal.err(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}
