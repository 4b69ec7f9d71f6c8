import { explain, type Explained } from './decide/explain.ts'
import type { Memory } from './decide/memory.ts'
import { type Container, type DecideConfig, processKey, type Sample, type WatchedProcess } from './model.ts'
import type { ExplainedRule } from './report/explain-text.ts'

/** What every rule makes of a process, as `pyheapctl explain --json` prints it. */
export type ExplainedProcess = {
  readonly pid: number
  readonly inside_pid: number | undefined
  readonly container: Container | undefined
  readonly target: string
  readonly rss_bytes: number
  readonly limit: Sample['limit']
  readonly rules: readonly ExplainedRule[]
}

/** What every rule makes of a process that was seen; undefined when it was not. */
export function explainProcess(
  memory: Memory,
  pid: number,
  config: DecideConfig,
): ExplainedProcess | undefined {
  const seen = findSeen(memory, pid)
  if (!seen) return undefined
  const { process, latest } = seen
  // As it was when it was seen last: not everybody is in every turn.
  const then = { ...memory, seen: [processKey(process.id)] }
  const rules = explain(then, process.id, config, latest.atMs).map(toRule)
  return {
    pid,
    inside_pid: process.insidePid,
    container: process.container,
    target: process.target,
    rss_bytes: latest.rssBytes,
    limit: latest.limit,
    rules,
  }
}

/** A process that is watched, with its latest sample. */
export function findSeen(
  memory: Memory,
  pid: number,
): { readonly process: WatchedProcess; readonly latest: Sample } | undefined {
  const known = [...memory.processes.values()].find(({ process }) => process?.id.pid === pid)
  return known?.process === undefined || known.latest === undefined
    ? undefined
    : { process: known.process, latest: known.latest }
}

const toRule = ({ rule: { name, when }, reading, reason }: Explained): ExplainedRule => ({
  name,
  when,
  ...(reading?.kind === 'value'
    ? { of: reading.of, value: reading.value, threshold: reading.threshold, need: reading.need }
    : {}),
  reason,
})
