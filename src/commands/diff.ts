import { analyse } from '../analyse/analyse.ts'
import { renderDiff } from '../report/diff-text.ts'
import { EXIT } from './exit-codes.ts'
import { findDump } from './find-dump.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

/** `pyheapctl diff A B`: what grew from A to B. */
export async function diffCommand(
  [first, second]: readonly [string, string],
  options: CommonOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const { store } = settings
  const before = await findDump(store, first, terminal)
  if (typeof before === 'number') return before
  const after = await findDump(store, second, terminal)
  if (typeof after === 'number') return after
  const findings = analyse(after, before)
  if (options.json === true)
    terminal.out(JSON.stringify({ before: before.id, after: after.id, findings }, null, 1))
  else terminal.page(renderDiff(before, after, findings, styleOf(terminal)))
  return EXIT.ok
}
