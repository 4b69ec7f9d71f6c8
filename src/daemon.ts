import type {
  CaptureRequest,
  Observation,
  QuarantineChange,
  TraceOutcome,
  TraceRequest,
  Trigger,
  Verdict,
  Wait,
} from './model.ts'
import type { ToldEvent } from './report/told-event.ts'
import type { DumpOutcome } from './take-dump.ts'

/** What happens in a turn, for whoever tells it. */
export type DaemonEvent = Extract<
  ToldEvent,
  { readonly kind: 'observed' | 'decided' | 'finished' | 'traced' }
>

/** The stages of the flow. What is remembered between turns belongs to `decide`. */
export type Stages<Memory> = {
  readonly triggers: AsyncIterable<Trigger>
  readonly observe: (trigger: Trigger) => Promise<Observation>
  /** Notes beside the dumps of a process how it has ended. */
  readonly conclude: (observation: Observation) => Promise<void>
  readonly remember: (memory: Memory, observation: Observation) => Memory
  readonly decide: (
    memory: Memory,
    trigger: Trigger,
  ) => {
    readonly verdict: Verdict
    readonly waits: readonly Wait[]
    readonly quarantines: readonly QuarantineChange[]
    readonly memory: Memory
  }
  readonly dump: (memory: Memory, request: CaptureRequest) => Promise<DumpOutcome>
  readonly rememberDump: (memory: Memory, request: CaptureRequest, outcome: DumpOutcome) => Memory
  readonly trace: (memory: Memory, request: TraceRequest) => Promise<TraceOutcome>
  readonly rememberTrace: (memory: Memory, request: TraceRequest, outcome: TraceOutcome) => Memory
  readonly report: (event: DaemonEvent) => void
}

/** Observes, decides and captures or traces, at most one process a turn, until the triggers end. */
export async function watch<Memory>(stages: Stages<Memory>, memory: Memory): Promise<Memory> {
  for await (const trigger of stages.triggers) {
    const observation = await stages.observe(trigger)
    stages.report({ kind: 'observed', observation })
    await stages.conclude(observation)

    const decision = stages.decide(stages.remember(memory, observation), trigger)
    stages.report({ kind: 'decided', trigger, ...decision })
    memory = decision.memory
    if (decision.verdict.kind === 'wait') continue

    memory = await act(stages, memory, decision.verdict)
  }
  return memory
}

async function act<Memory>(
  stages: Stages<Memory>,
  memory: Memory,
  request: CaptureRequest | TraceRequest,
): Promise<Memory> {
  if (request.kind === 'trace') {
    const outcome = await stages.trace(memory, request)
    const after = stages.rememberTrace(memory, request, outcome)
    stages.report({ kind: 'traced', request, outcome })
    return after
  }
  const outcome = await stages.dump(memory, request)
  const after = stages.rememberDump(memory, request, outcome)
  stages.report({ kind: 'finished', request, outcome })
  return after
}
