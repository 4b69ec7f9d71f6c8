import { setTimeout as sleep } from 'node:timers/promises'
import { explain, type Explained } from '../decide/explain.ts'
import { remember } from '../decide/memory.ts'
import { openObserver } from '../open-observer.ts'
import { type ExplainedRule, renderExplain } from '../report/explain-text.ts'
import { loadMemory } from '../run-daemon.ts'
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
    const known = [...memory.processes.values()].find(({ process }) => process?.id.pid === pid)
    if (known?.process === undefined || known.latest === undefined) {
      terminal.err(
        `process ${pid} is not watched: it is not there, not CPython, or no target names it (pyheapctl ps lists who is)`,
      )
      return EXIT.notFound
    }
    const { process, latest } = known
    const rules = explain(memory, process.id, settings.decide, memory.lastObservationMs).map(toRule)
    if (options.json === true)
      terminal.out(
        JSON.stringify(
          { pid, target: process.target, rss_bytes: latest.rssBytes, limit: latest.limit, rules },
          null,
          1,
        ),
      )
    else terminal.out(renderExplain(process, latest, rules, styleOf(terminal)))
    return EXIT.ok
  } finally {
    observer.close()
  }
}

const toRule = ({ rule: { name, when }, reading, reason }: Explained): ExplainedRule => ({
  name,
  when,
  ...(reading?.kind === 'value'
    ? { value: reading.value, threshold: reading.threshold, need: reading.need }
    : {}),
  reason,
})
