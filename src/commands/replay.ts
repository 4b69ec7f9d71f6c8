import { existsSync } from 'node:fs'
import { Replay, type ReplayEvent } from '../decide/replay.ts'
import { renderReplay, type ReplayRow } from '../report/replay-text.ts'
import { readSamples } from '../store/samples/read.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { styleOf, type Terminal } from './terminal.ts'

/** `pyheapctl replay FILE`: what the rules of a configuration would have captured when. */
export async function replayCommand(
  file: string,
  options: CommonOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  if (!existsSync(file)) {
    terminal.err(`there is no file ${file}: the daemon writes one where sampling.record says so`)
    return EXIT.notFound
  }
  const replay = new Replay(settings.decide)
  const rows: ReplayRow[] = []
  const pids = new Set<string>()
  let looks = 0
  let firstMs: number | undefined
  let lastMs = 0
  for await (const read of readSamples(file)) {
    if (read.kind === 'malformed') {
      terminal.err(`${file}:${read.line}: ${read.detail}`)
      return EXIT.usage
    }
    const { observation } = read
    firstMs ??= observation.atMs
    lastMs = observation.atMs
    looks++
    for (const { id } of observation.appeared) pids.add(`${id.pid} ${id.startTicks}`)
    for (const event of replay.see(observation)) rows.push(...toRow(event, firstMs))
    if (looks % 1000 === 0) terminal.progress(`replaying: ${looks} looks …`)
  }
  terminal.progress('')
  const hasSchedules = settings.decide.rules.some(({ when }) => when.kind === 'schedule')
  const summary = { looks, processes: pids.size, spanMs: lastMs - (firstMs ?? 0), hasSchedules }
  if (options.json === true) terminal.out(JSON.stringify({ ...summary, events: rows }, null, 1))
  else terminal.page(renderReplay(rows, summary, styleOf(terminal)))
  return EXIT.ok
}

function toRow(event: ReplayEvent, firstMs: number): readonly ReplayRow[] {
  if (event.kind === 'quarantine') return []
  const atMs = event.atMs - firstMs
  if (event.kind === 'oom') return [{ ...event, atMs }]
  const { kind, doneMs, target, rssBytes, request } = event
  return [
    {
      kind,
      atMs,
      doneMs: doneMs - firstMs,
      pid: request.process.pid,
      target,
      rssBytes,
      fired: request.fired,
      alsoFired: request.alsoFired,
    },
  ]
}
