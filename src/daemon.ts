import type { CaptureRequest, Observation, QuarantineChange, Trigger, Verdict, Wait } from './model.ts'
import type { DumpOutcome } from './take-dump.ts'

/** What happens in the daemon, for whoever tells it. */
export type DaemonEvent =
  | { readonly kind: 'observed'; readonly observation: Observation }
  | {
      readonly kind: 'decided'
      readonly verdict: Verdict
      readonly waits: readonly Wait[]
      readonly quarantines: readonly QuarantineChange[]
    }
  | { readonly kind: 'finished'; readonly request: CaptureRequest; readonly outcome: DumpOutcome }

/** The stages of the flow. What is remembered between turns belongs to `decide`. */
export type Stages<Memory> = {
  readonly triggers: AsyncIterable<Trigger>
  readonly observe: () => Promise<Observation>
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
  readonly report: (event: DaemonEvent) => void
}

/** Observes, decides and captures, at most one process a turn, until the triggers end. */
export async function watch<Memory>(stages: Stages<Memory>, memory: Memory): Promise<Memory> {
  for await (const trigger of stages.triggers) {
    const observation = await stages.observe()
    stages.report({ kind: 'observed', observation })

    const decision = stages.decide(stages.remember(memory, observation), trigger)
    stages.report({ kind: 'decided', ...decision })
    memory = decision.memory
    if (decision.verdict.kind === 'wait') continue

    const outcome = await stages.dump(memory, decision.verdict)
    memory = stages.rememberDump(memory, decision.verdict, outcome)
    stages.report({ kind: 'finished', request: decision.verdict, outcome })
  }
  return memory
}
