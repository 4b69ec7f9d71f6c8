import type {
  CaptureOutcome,
  CaptureRequest,
  DumpManifest,
  Findings,
  Observation,
  ProbeState,
  QuarantineChange,
  StoreFailure,
  TraceOutcome,
  TraceRequest,
  Trigger,
  Verdict,
  Wait,
} from '../model.ts'

/** What the daemon has to tell: one turn of its loop gives one or more of these, its life the others. */
export type ToldEvent =
  | { readonly kind: 'observed'; readonly observation: Observation }
  | {
      readonly kind: 'decided'
      readonly trigger: Trigger
      readonly verdict: Verdict
      readonly waits: readonly Wait[]
      readonly quarantines: readonly QuarantineChange[]
    }
  | { readonly kind: 'finished'; readonly request: CaptureRequest; readonly outcome: ToldOutcome }
  | { readonly kind: 'traced'; readonly request: TraceRequest; readonly outcome: TraceOutcome }
  | {
      readonly kind: 'reloaded'
      readonly targets: number
      readonly rules: number
      /** Everybody is looked for anew, as targets have changed. */
      readonly isAnew?: boolean | undefined
    }
  | { readonly kind: 'config-refused'; readonly problems: readonly string[] }
  /** The room for dumps; news when it begins or ends to be short. */
  | {
      readonly kind: 'disk'
      readonly dir: string
      readonly freeBytes: number
      readonly isLow: boolean
      readonly isNews: boolean
    }
  | { readonly kind: 'probe'; readonly state: ProbeState; readonly isWanted: boolean }
  /** 0: rules are no longer paused. */
  | { readonly kind: 'paused'; readonly forMs: number }
  | { readonly kind: 'restarted'; readonly unit: string; readonly problem?: string | undefined }
  /** Something was told to a hook, a webhook or a store of profiles. */
  | {
      readonly kind: 'delivered'
      readonly to: string
      readonly what: string
      readonly problem?: string | undefined
    }
  /** A dump was sent to a bucket, or could not be. */
  | {
      readonly kind: 'uploaded'
      readonly dump: string
      /** Address of the bucket, with the prefix. */
      readonly place: string
      readonly bytes: number
      /** Dumps that are still to be sent. */
      readonly left: number
      readonly problem?: { readonly detail: string; readonly hint?: string | undefined } | undefined
    }

/** How a dump ended. */
export type ToldOutcome =
  | { readonly kind: 'dumped'; readonly published: ToldDump; readonly findings: Findings }
  | { readonly kind: 'dumped-outside'; readonly published: ToldDump; readonly outcome: CaptureOutcome }
  | { readonly kind: 'refused'; readonly outcome: CaptureOutcome }
  | { readonly kind: 'not-stored'; readonly failure: ToldStoreFailure }

export type ToldDump = { readonly id: string; readonly path: string; readonly manifest: DumpManifest }

export type ToldStoreFailure = {
  readonly reason: StoreFailure
  readonly detail: string
  readonly hint: string
}
