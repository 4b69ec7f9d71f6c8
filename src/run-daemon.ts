import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createOpenGdb } from './capture/open-gdb.ts'
import { rehearseCapture } from './capture/rehearse.ts'
import { recoverFromCrash } from './capture/recover-from-crash.ts'
import { WarmGdb } from './capture/warm-gdb.ts'
import type { Config } from './config/config.ts'
import { type Stages, watch } from './daemon.ts'
import { decide } from './decide/decide.ts'
import {
  type CaptureResult,
  type Memory,
  emptyMemory,
  remember,
  rememberCapture,
  rememberTrace,
} from './decide/memory.ts'
import { restore, serialise } from './decide/saved-state.ts'
import { createDumpStages } from './dump-stages.ts'
import { installation, places } from './installation.ts'
import { pushProfiles } from './push-profiles.ts'
import type { Log } from './log.ts'
import { type CaptureRequest, processKey } from './model.ts'
import type { Observer } from './observe/observe.ts'
import { createRevisits } from './observe/revisits.ts'
import { startSchedules } from './observe/schedule.ts'
import { growthProbe } from './growth-probe.ts'
import { type TriggerSource, triggers } from './observe/triggers.ts'
import { openObserver } from './open-observer.ts'
import { linesOf } from './report/log-lines.ts'
import { noteEndings } from './store/note-endings.ts'
import { cleanLeftovers, sweepStore } from './store/sweep.ts'
import { storeAt } from './store/place.ts'
import { prepareStore } from './store/prepare-store.ts'
import { takeStoreLock } from './store-lock.ts'
import { type DumpOutcome, takeDump } from './take-dump.ts'
import { createTraceStage } from './trace-stage.ts'

/**
 * Makes the machine ready for a store, once: no other daemon may use it, and leftovers of a killed one are mended and
 * cleaned up. Undefined, and a word in the log, when another daemon has it.
 */
export async function prepare(config: Config, log: Log): Promise<StoreLock | undefined> {
  const { dir } = config.store
  const failed = await prepareStore(storeAt(dir))
  if (failed) log.error(failed, 'the store cannot be used')
  const lock = takeStoreLock(dir)
  if (lock.kind === 'busy') {
    const hint = 'end it, or give this one another store.dir'
    log.error({ store: dir, by: lock.by, hint }, 'another daemon uses this store')
    return undefined
  }
  for (const done of recoverFromCrash(places)) log.warn(done, 'mended what a killed capture left behind')
  const { removed } = await cleanLeftovers(storeAt(dir))
  for (const leftover of removed) log.warn(leftover, 'removed an unfinished dump')
  return lock
}

/** While it is held, no other daemon uses the store. */
export type StoreLock = Extract<ReturnType<typeof takeStoreLock>, { readonly kind: 'held' }>

/** Runs the loop with one config until the signal; answers what is remembered, for the next config. */
export async function runDaemon(
  config: Config,
  log: Log,
  signal: AbortSignal,
  memory: Memory,
): Promise<Memory> {
  const observer = openObserver(config)
  log.info(
    { version: installation.version, targets: config.targets.length, rules: config.decide.rules.length },
    'watching',
  )
  const gdb = new WarmGdb(createOpenGdb(config.capture.gdbTimeoutMs))
  try {
    return await watch(createStages(config, log, signal, { observer, gdb }), memory)
  } finally {
    await gdb.close()
    observer.close()
  }
}

type Tools = { readonly observer: Observer; readonly gdb: WarmGdb }

function createStages(
  config: Config,
  log: Log,
  signal: AbortSignal,
  { observer, gdb }: Tools,
): Stages<Memory> {
  const now = (): number => performance.now()
  const stages = createDumpStages({
    config,
    openGdb: gdb.take,
    historyOf: (id) => observer.historyOf(id, now()),
    onProgress: () => undefined,
  })
  const trace = createTraceStage({ config, openGdb: gdb.take })
  const revisits = createRevisits()
  return {
    triggers: triggers({
      intervalMs: config.sampling.intervalMs,
      sources: [schedules(config), revisits.source, ...growthProbe(config, observer, log)],
      signal,
    }),
    observe: (trigger) => observer.observe(now(), trigger.kind === 'growth' ? trigger.pid : undefined),
    conclude: async ({ endings = [] }) => {
      const failed = await noteEndings(storeAt(config.store.dir), endings)
      for (const { reason, detail, hint } of failed)
        log.warn({ reason, detail, hint }, 'cannot note an ending')
    },
    remember,
    decide: (memory, trigger) => {
      const decision = decide(memory, trigger, config.decide, now())
      const { near } = decision
      for (const { pid, inMs } of decision.nextLooks) revisits.plan(pid, inMs)
      if (gdb.keep(near !== undefined, now()) && near) rehearseCapture(places.procRoot, near.id.pid)
      return decision
    },
    dump: async (memory, request) => {
      const outcome = await dumpProcess(memory, request, stages)
      if (outcome.kind !== 'dumped') return outcome
      void pushProfiles(outcome.published.path, config.profiles, log, signal)
      await keepToLimits(config, log)
      return outcome
    },
    rememberDump: (memory, request, outcome) => {
      // It had to wait for another capture, for too long: that was no attempt, and the rule stays due.
      if (outcome.kind === 'refused' && outcome.outcome.reason === 'busy') return memory
      const after = rememberCapture(memory, request, now(), resultOf(outcome))
      saveMemory(config, after)
      return after
    },
    trace: async (memory, request) => {
      const { process } = memory.processes.get(processKey(request.process)) ?? {}
      if (!process) return { kind: 'failed', reason: 'gone', detail: 'the process has ended' }
      return trace(process, request.frames)
    },
    rememberTrace: (memory, request, outcome) => {
      if (outcome.kind === 'failed' && outcome.reason === 'busy') return memory
      const result = outcome.kind === 'failed' ? outcome.reason : outcome.kind
      const after = rememberTrace(memory, request, now(), result)
      saveMemory(config, after)
      return after
    },
    report: (event) => {
      for (const { level, fields, message } of linesOf(event)) log[level](fields, message)
    },
  }
}

/** What became of the capture itself; one that could not be stored is tried again, and is not the process's fault. */
function resultOf(outcome: DumpOutcome): CaptureResult {
  switch (outcome.kind) {
    case 'dumped':
      return 'captured'
    case 'dumped-outside':
    case 'refused':
      return outcome.outcome.kind === 'failed' ? outcome.outcome.reason : 'captured'
    case 'not-stored':
      return 'not-stored'
    default:
      return outcome satisfies never
  }
}

async function dumpProcess(
  memory: Memory,
  request: CaptureRequest,
  stages: Parameters<typeof takeDump>[1],
): Promise<DumpOutcome> {
  const { process, latest } = memory.processes.get(processKey(request.process)) ?? {}
  if (!process || !latest)
    return { kind: 'refused', outcome: { kind: 'failed', reason: 'gone', detail: 'the process has ended' } }
  const startedAt = new Date().toISOString()
  return takeDump({ process, target: process.target, request, sample: latest, startedAt }, stages)
}

async function keepToLimits({ store }: Config, log: Log): Promise<void> {
  const limits = {
    totalBytes: store.keepTotalBytes,
    ageMs: store.keepAgeMs,
    perTarget: store.keepPerTarget,
  }
  const { removed, problems } = await sweepStore(store.dir, limits, Date.now())
  for (const dump of removed) log.info(dump, 'expired a dump')
  for (const problem of problems) log.warn(problem, 'cannot expire')
}

const schedules =
  ({ decide: { rules } }: Config): TriggerSource =>
  (push) => {
    const scheduled = rules.flatMap(({ name, when }) =>
      when.kind === 'schedule' ? [{ rule: name, cron: when.cron, timezone: when.timezone }] : [],
    )
    const { stop } = startSchedules(scheduled, (rule) => push({ kind: 'schedule', rule }))
    return () => void stop()
  }

const stateFile = ({ store }: Config): string => join(store.dir, '.state.json')

/** What an earlier daemon remembered: limits, cool-downs and baselines outlive it. */
export function loadMemory(config: Config, tellRefused: (reason: string) => void): Memory {
  const text = readState(stateFile(config))
  if (text === undefined) return emptyMemory()
  const restored = restore(text, { nowMs: performance.now(), wallMs: Date.now() })
  if (restored.kind === 'refused') tellRefused(restored.reason)
  return restored.memory
}

function readState(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // the first start
  }
}

/** Best effort: a full disk must not stop the watch, and is told when a dump fails. */
export function saveMemory(config: Config, memory: Memory): void {
  const file = stateFile(config)
  try {
    const text = serialise(memory, { nowMs: performance.now(), wallMs: Date.now() })
    writeFileSync(`${file}.new`, text, { mode: 0o640 })
    renameSync(`${file}.new`, file)
  } catch {
    return
  }
}
