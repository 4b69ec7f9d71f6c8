import { setTimeout as sleep } from 'node:timers/promises'
import { remember } from '../decide/memory.ts'
import { explainProcess, findSeen } from '../explain-process.ts'
import { openObserver } from '../open-observer.ts'
import { renderExplain } from '../report/explain-text.ts'
import { loadMemory } from '../daemon/saved-memory.ts'
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
        `process ${pid} is not watched: it is not there, not CPython, or no target names it (pyheapctl ps lists who is)`,
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
