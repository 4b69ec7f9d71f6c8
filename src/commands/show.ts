import { renderShow } from '../report/show-text.ts'
import { renderHeapy, renderPympler } from '../report/styles-text.ts'
import { renderVerdict } from '../report/verdict-text.ts'
import { EXIT } from './exit-codes.ts'
import { findDump, findingsOf } from './find-dump.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

const STYLES = { heapy: renderHeapy, pympler: renderPympler } as const
export const SHOW_STYLES = Object.keys(STYLES) as readonly (keyof typeof STYLES)[]

export type ShowOptions = CommonOptions & { readonly verdict?: boolean; readonly style?: string }

/** `pyheapctl show [DUMP]`: what one dump says. */
export async function showCommand(
  argument: string,
  options: ShowOptions,
  terminal: Terminal,
): Promise<number> {
  const style = SHOW_STYLES.find((known) => known === options.style)
  if (options.style !== undefined && style === undefined) {
    terminal.err(`--style: ${options.style} is not one of ${SHOW_STYLES.join(', ')}`)
    return EXIT.usage
  }
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const { store } = settings
  const dump = await findDump(store, argument, terminal)
  if (typeof dump === 'number') return dump
  if (style !== undefined) {
    if (dump.census) terminal.out(STYLES[style](dump.census))
    else terminal.err(`${dump.id} has no census`)
    return dump.census ? EXIT.ok : EXIT.notFound
  }
  const findings = await findingsOf(dump, store.dir)
  if (options.json === true)
    terminal.out(JSON.stringify(options.verdict === true ? findings : { findings, ...dump }, null, 1))
  else if (options.verdict === true) terminal.out(renderVerdict(findings, styleOf(terminal)))
  else terminal.page(renderShow(dump, findings, styleOf(terminal)))
  return EXIT.ok
}
