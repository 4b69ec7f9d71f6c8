import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import { remember } from '../decide/memory.ts'
import { type ExplainedProcess, explainProcess, findSeen } from '../explain-process.ts'
import { places } from '../installation.ts'
import { openObserver } from '../open-observer.ts'
import { type ExplainedRule, renderExplain } from '../report/explain-text.ts'
import { loadMemory } from '../daemon/saved-memory.ts'
import { askDaemon } from './daemon-client.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import { type Terminal, styleOf } from './terminal.ts'

export type ExplainOptions = CommonOptions & { readonly watch: string }

/** `pyheapctl explain PID`: why a process would be captured, or what each rule waits for. */
export async function explainCommand(
  pidText: string,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number> {
  const seconds = Number(options.watch)
  if (!/^[1-9]\d{0,9}$/.test(pidText) || !(seconds >= 0)) {
    terminal.err(`explain takes a process id, and --watch a number of seconds`)
    return EXIT.usage
  }
  const settings = await readSettings(options, terminal)
  if (!settings) return EXIT.config
  if (seconds === 0) {
    const told = await explainByDaemon(Number(pidText), settings, options, terminal)
    if (told !== undefined) return told
  }
  const observer = openObserver(settings)
  try {
    // What the daemon remembered when it captured last: latches, cooldowns, quotas.
    let memory = loadMemory(settings, (reason) => terminal.err(`the saved state is of no use: ${reason}`))
    const end = performance.now() + seconds * 1000
    for (;;) {
      const nowMs = performance.now()
      memory = remember(memory, await observer.observe(nowMs))
      if (nowMs >= end) break
      terminal.progress(`watching for ${Math.ceil((end - nowMs) / 1000)} s …`)
      await sleep(Math.min(settings.sampling.intervalMs, Math.max(0, end - nowMs)))
    }
    const pid = Number(pidText)
    const explained = explainProcess(memory, pid, settings.decide)
    const seen = findSeen(memory, pid)
    if (!explained || !seen) {
      terminal.err(
        `process ${pid} is not watched: it is not there, not CPython, no target names it, or its pod has opted out (pyheapctl ps lists who is)`,
      )
      return EXIT.notFound
    }
    if (options.json === true) terminal.out(JSON.stringify(explained, null, 1))
    else terminal.out(renderExplain(seen.process, seen.latest, explained.rules, styleOf(terminal)))
    return EXIT.ok
  } finally {
    observer.close()
  }
}

/** What the running daemon makes of it, with its latches and quotas of now; undefined where there is none to ask. */
async function explainByDaemon(
  pid: number,
  { socket }: Config,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number | undefined> {
  const answer = await askDaemon(socket, 'GET', `/explain?pid=${pid}`)
  // Without it, or where it watches for another configuration, a look of our own does.
  if (answer.kind === 'no-daemon' || answer.status !== 200 || options.config !== places.config)
    return undefined
  const explained = answer.body as unknown as ExplainedProcess
  const { target, rss_bytes: rssBytes, limit, rules, inside_pid: insidePid, container } = explained
  if (options.json === true) terminal.out(JSON.stringify(answer.body, null, 1))
  else {
    terminal.out(
      renderExplain(
        { id: { pid }, target, insidePid, container },
        { rssBytes, limit },
        rules.map(withInfinity),
        styleOf(terminal),
      ),
    )
  }
  return EXIT.ok
}

/** JSON has no infinity, and says null. */
const withInfinity = ({ value, need, ...rule }: ExplainedRule): ExplainedRule => ({
  ...rule,
  value: value === null ? Number.POSITIVE_INFINITY : value,
  need: need === null ? Number.POSITIVE_INFINITY : need,
})
