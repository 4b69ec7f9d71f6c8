import { renderShow } from '../report/show-text.ts'
import { renderVerdict } from '../report/verdict-text.ts'
import { EXIT } from './exit-codes.ts'
import { findDump, findingsOf } from './find-dump.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

export type ShowOptions = CommonOptions & { readonly verdict?: boolean }

/** `pyheapctl show [DUMP]`: what one dump says. */
export async function showCommand(
  argument: string,
  options: ShowOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const { store } = settings
  const dump = await findDump(store.dir, argument, terminal)
  if (typeof dump === 'number') return dump
  const findings = await findingsOf(dump, store.dir)
  if (options.json === true)
    terminal.out(JSON.stringify(options.verdict === true ? findings : { findings, ...dump }, null, 1))
  else if (options.verdict === true) terminal.out(renderVerdict(findings, styleOf(terminal)))
  else terminal.out(renderShow(dump, findings, styleOf(terminal)))
  return EXIT.ok
}
