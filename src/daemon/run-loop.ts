import { rehearseCapture } from '../capture/rehearse.ts'
import type { WarmGdb } from '../capture/warm-gdb.ts'
import type { Config } from '../config/config.ts'
import { type DaemonEvent, type Stages, watch } from '../daemon.ts'
import { decide } from '../decide/decide.ts'
import {
  type CaptureResult,
  type Memory,
  remember,
  rememberCapture,
  rememberTrace,
} from '../decide/memory.ts'
import { canGiveWay } from '../decide/preempt.ts'
import { createDumpStages } from '../dump-stages.ts'
import { installation, places } from '../installation.ts'
import type { Log } from '../log.ts'
import { type CaptureRequest, processKey, type Trigger } from '../model.ts'
import type { Observer } from '../observe/observe.ts'
import { createRevisits } from '../observe/revisits.ts'
import { startSchedules } from '../observe/schedule.ts'
import { type TriggerSource, triggers } from '../observe/triggers.ts'
import { type Lookout, startLookout } from './lookout.ts'
import { saveMemory } from './saved-memory.ts'
import { noteEndings } from '../store/note-endings.ts'
import { storeAt } from '../store/place.ts'
import { type DumpOutcome, takeDump } from '../take-dump.ts'
import { createTraceStage } from '../trace-stage.ts'

/** What outlives a reload: everything that the machine would notice if it began anew. */
export type Tools = {
  readonly observer: Observer
  readonly gdb: WarmGdb
  /** What wakes the loop besides its interval and its schedules. */
  readonly sources: readonly TriggerSource[]
  readonly tell: (event: DaemonEvent) => void
  /** Keeps the store to its limits, in its own time. */
  readonly sweep: (config: Pick<Config, 'store' | 'upload'>) => void
  /** Hears of the memory after every turn. */
  readonly onMemory: (memory: Memory) => void
}

/** Runs the loop with one config until the signal; answers what is remembered, for the next config. */
export async function runLoop(
  config: Config,
  log: Log,
  signal: AbortSignal,
  { memory, tools }: { readonly memory: Memory; readonly tools: Tools },
): Promise<Memory> {
  log.info(
    { version: installation.version, targets: config.targets.length, rules: config.decide.rules.length },
    'watching',
  )
  return watch(createStages(config, log, signal, tools), memory)
}

function createStages(
  config: Config,
  log: Log,
  signal: AbortSignal,
  { observer, gdb, sources, tell, sweep, onMemory }: Tools,
): Stages<Memory> {
  const now = (): number => performance.now()
  const stages = createDumpStages({
    config,
    openGdb: gdb.take,
    historyOf: (id) => observer.historyOf(id, now()),
    onProgress: () => undefined,
    giveWay: () => lookout?.giveWay(),
  })
  let lookout: Lookout | undefined
  const trace = createTraceStage({ config, openGdb: gdb.take })
  const revisits = createRevisits()
  const save = (memory: Memory): Memory => {
    const problem = saveMemory(config, memory)
    if (problem !== undefined) log.warn({ detail: problem }, 'cannot save what is remembered')
    return memory
  }
  return {
    triggers: triggers({
      intervalMs: config.sampling.intervalMs,
      sources: [schedules(config), revisits.source, ...sources],
      signal,
    }),
    observe: (trigger) => observer.observe(now(), pidOf(trigger), trigger.kind === 'interval'),
    conclude: async ({ endings = [] }) => {
      const problems = await noteEndings(storeAt(config.store.dir), endings)
      for (const { reason, detail, hint } of problems)
        log.warn({ reason, detail, hint }, 'cannot note an ending')
    },
    remember,
    decide: (memory, trigger) => {
      const decision = decide(memory, trigger, config.decide, now())
      const { near } = decision
      for (const { pid, inMs } of decision.nextLooks) revisits.plan(pid, inMs)
      if (gdb.keep(near !== undefined, now()) && near) rehearseCapture(places.procRoot, near.id.pid)
      if (trigger.kind === 'pause') save(decision.memory)
      onMemory(decision.memory)
      return decision
    },
    dump: async (memory, request) => {
      const { intervalMs } = config.sampling
      lookout = canGiveWay(memory, request, config.decide)
        ? startLookout(observer, memory, request, { config: config.decide, intervalMs })
        : undefined
      const outcome = await dumpProcess(memory, request, stages).finally(() => lookout?.stop())
      if (outcome.kind === 'dumped') sweep(config)
      return outcome
    },
    rememberDump: (memory, request, outcome) =>
      // It had to wait for another capture, for too long: that was no attempt, and the rule stays due.
      outcome.kind === 'refused' && outcome.outcome.reason === 'busy'
        ? memory
        : save(rememberCapture(memory, request, now(), resultOf(outcome))),
    trace: async (memory, request) => {
      const { process } = memory.processes.get(processKey(request.process)) ?? {}
      if (!process) return { kind: 'failed', reason: 'gone', detail: 'the process has ended' }
      return trace(process, request.frames)
    },
    rememberTrace: (memory, request, outcome) => {
      if (outcome.kind === 'failed' && outcome.reason === 'busy') return memory
      const result = outcome.kind === 'failed' ? outcome.reason : outcome.kind
      return save(rememberTrace(memory, request, now(), result))
    },
    report: tell,
  }
}

/** Who alone is to be looked at. */
function pidOf(trigger: Trigger): number | undefined {
  if (trigger.kind === 'growth') return trigger.pid
  return trigger.kind === 'demand' && trigger.demand.process.kind === 'pid'
    ? trigger.demand.process.pid
    : undefined
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

const schedules =
  ({ decide: { rules } }: Config): TriggerSource =>
  (push) => {
    const scheduled = rules.flatMap(({ name, when }) =>
      when.kind === 'schedule' ? [{ rule: name, cron: when.cron, timezone: when.timezone }] : [],
    )
    const { stop } = startSchedules(scheduled, (rule) => push({ kind: 'schedule', rule }))
    return () => void stop()
  }
