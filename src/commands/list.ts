import { type ListedDump, renderList } from '../report/list-text.ts'
import { type DumpEntry, listDumps, readFindings } from '../store/read-dumps.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

/** `pyheapctl list [TARGET]`: the dumps in the store, newest first. */
export async function listCommand(
  target: string | undefined,
  options: CommonOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const { store } = settings
  const { dumps, problems } = await listDumps(store.dir, target)
  const listed = await withHeadlines(dumps)
  if (options.json === true) terminal.out(JSON.stringify({ dumps: listed, problems }, null, 1))
  else terminal.out(renderList(listed, styleOf(terminal)))
  for (const { file, detail } of problems) terminal.err(`${file}: ${detail}`)
  return problems.length > 0 && dumps.length === 0 ? EXIT.store : EXIT.ok
}

/** Dumps with what their findings say in one sentence. */
export const withHeadlines = (dumps: readonly DumpEntry[]): Promise<readonly ListedDump[]> =>
  Promise.all(dumps.map(async (dump) => ({ ...dump, headline: await readHeadline(dump.path) })))

async function readHeadline(path: string): Promise<string | undefined> {
  const findings = await readFindings(path)
  return findings.kind === 'valid' ? findings.value.headline : undefined
}
