import { dirname } from 'node:path'
import { groupByLeak, renderGroups } from '../report/group-text.ts'
import { type ListedDump, renderList } from '../report/list-text.ts'
import { type DumpEntry, listDumps, readFindings } from '../store/read-dumps.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

/** `pyheapctl list [TARGET]`: the dumps in the store, newest first, or by the leak that they name. */
export async function listCommand(
  target: string | undefined,
  options: CommonOptions & { readonly group?: boolean },
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  const { store } = settings
  // Out of a bucket a target has its host's name before its own.
  const { dumps: all, problems } = await listDumps(store.dir, store.fetch ? undefined : target)
  const dumps = all.filter(
    ({ id, manifest }) => target === undefined || dirname(id) === target || manifest.target === target,
  )
  const listed = await withHeadlines(dumps)
  if (options.group === true) {
    const groups = groupByLeak(listed)
    terminal.out(
      options.json === true
        ? JSON.stringify({ groups, problems }, null, 1)
        : renderGroups(groups, styleOf(terminal)),
    )
  } else if (options.json === true) terminal.out(JSON.stringify({ dumps: listed, problems }, null, 1))
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
