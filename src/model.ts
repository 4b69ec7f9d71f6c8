/**
 * What crosses a border between stages. Stages import this file and never each other:
 *
 *     observe → decide → capture → store → analyse → report
 *
 * Times named `atMs` are monotonic milliseconds, for measuring; times named `…At` are wall clock, ISO 8601, for
 * people. Sizes are bytes.
 */

import type { Container, ContainerNews, Runtime } from './model/containers.ts'
import type { Condition, SampleExtras } from './model/conditions.ts'
import type { Census, Collections, MemoryMap, OutsideEvidence } from './model/inside.ts'

export * from './model/inside.ts'
export type * from './model/heap-graph.ts'
export * from './model/conditions.ts'
export * from './model/containers.ts'
export * from './model/findings.ts'
export * from './model/telling.ts'
export * from './model/bucket.ts'
export type * from './model/graph-findings.ts'

// ---------------------------------------------------------------- who is watched

/** A process for good: a reused pid has another start time, another boot another id. */
export type ProcessId = {
  readonly bootId: string
  readonly pid: number
  /** Field 22 of /proc/PID/stat: clock ticks after boot. */
  readonly startTicks: number
}

/** One string per process, for maps and for files that outlive the daemon. */
export const processKey = (id: ProcessId): string => `${id.bootId}:${id.pid}:${id.startTicks}`

/** What is read about a Python process once, when it is found or has called exec. */
export type PythonProcess = {
  readonly id: ProcessId
  readonly parentPid: number
  readonly exe: string
  /** The file that holds the interpreter: the executable itself or a libpython. */
  readonly interpreter: string
  readonly cmdline: readonly string[]
  readonly uid: number
  /** Login name, or the uid in digits when it has none here. */
  readonly user: string
  /** Path below the memory controller's (v1) or the unified (v2) root. */
  readonly cgroup: string
  readonly unit?: string
  readonly container?: Container
  /** Its pid in its own pid namespace, where that is another. */
  readonly insidePid?: number
}

/** A process that a target of the config names. */
export type WatchedProcess = PythonProcess & {
  readonly target: string
  /** What its pod asks for. */
  readonly rules?: OwnRules | undefined
}

/** Rules that hold for the processes of one pod alone. */
export type OwnRules = {
  readonly own: readonly Rule[]
  /** Rules of the config that capture on just one of these do not hold for it. */
  readonly instead: readonly Condition['kind'][]
}

/** What annotations of a pod ask for. */
export type PodWishes = {
  readonly isWatched: boolean
  /** Whether it says so itself that it is not watched. */
  readonly isOptedOut: boolean
  readonly rules?: OwnRules | undefined
  /** Annotations that cannot be understood, and what would be right. */
  readonly problems: readonly { readonly key: string; readonly detail: string }[]
}

/** How to recognise a target; all given keys must match. */
export type TargetMatch = {
  /** Regular expression, searched for in the arguments joined by spaces. */
  readonly cmdline?: string | undefined
  /** Glob on the executable's path. */
  readonly exe?: string | undefined
  readonly user?: string | undefined
  /** Glob on the systemd unit's name. */
  readonly unit?: string | undefined
  /** Glob on the cgroup path. */
  readonly cgroup?: string | undefined
  /** A container id or the beginning of one, or a glob on the container's name. */
  readonly container?: string | undefined
  readonly runtime?: Runtime | undefined
  /** Globs on what is told of its container. */
  readonly image?: string | undefined
  readonly pod?: string | undefined
  readonly namespace?: string | undefined
  /** Globs by the names of labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

export type Target = { readonly name: string; readonly match: TargetMatch }

// ---------------------------------------------------------------- what is seen

/** The limit that a process will hit first, and how near it is. */
export type LimitUse = {
  readonly source: 'cgroup' | 'rlimit-as' | 'host'
  readonly limitBytes: number
  /** What counts against the limit and cannot be reclaimed by dropping clean page cache. */
  readonly usedBytes: number
  /** Cgroup path, `RLIMIT_AS` or `host`. */
  readonly where: string
}

export type Sample = {
  readonly process: ProcessId
  readonly atMs: number
  readonly rssBytes: number
  readonly limit?: LimitUse | undefined
  /** Only read near a threshold. */
  readonly split?: MemorySplit | undefined
  readonly extras?: SampleExtras | undefined
}

export type MemorySplit = {
  readonly anonBytes: number
  readonly fileBytes: number
  readonly shmemBytes: number
  readonly swapBytes: number
}

export type HostMemory = { readonly totalBytes: number; readonly availableBytes: number }

/** One look at everything that is watched. */
export type Observation = {
  readonly atMs: number
  readonly samples: readonly Sample[]
  readonly appeared: readonly WatchedProcess[]
  readonly gone: readonly ProcessId[]
  readonly host: HostMemory
  /** How those that are gone have ended. */
  readonly endings?: readonly Ending[] | undefined
  /** Of those who are gone: who lives on, and is of no interest any more. */
  readonly dismissed?: readonly ProcessId[] | undefined
  /** What there is to tell of containers. */
  readonly containers?: readonly ContainerNews[] | undefined
  /** What could not be looked at, in words. */
  readonly problems?: readonly string[] | undefined
}

/** How a watched process has ended. */
export type Ending = {
  readonly process: ProcessId
  /** `replaced`: the process lives on, and runs another program. */
  readonly how: 'oom-killed' | 'ended' | 'replaced'
  /** When, or when that was noticed; ISO 8601 with milliseconds. */
  readonly at: string
  readonly oom?: OomKill | undefined
}

/** What the kernel's log says of whom the OOM killer chose. */
export type OomKill = {
  readonly pid: number
  readonly name: string
  /** Whose memory was short. */
  readonly within: 'cgroup' | 'host'
  readonly virtualBytes: number
  readonly anonBytes: number
  readonly fileBytes: number
  readonly shmemBytes: number
}

/** What a machine is, for dumps that are read elsewhere. */
export type MachineFacts = {
  readonly host?: string | undefined
  readonly os: string
  readonly kernel: string
  readonly architecture: string
  readonly cpus: number
  readonly memoryBytes: number
}

/** Why the daemon wakes up. */
export type Trigger =
  | { readonly kind: 'interval' }
  /** 0 for a process that cannot be named, as in another pid namespace. */
  | { readonly kind: 'growth'; readonly pid: number }
  | { readonly kind: 'schedule'; readonly rule: string }
  | { readonly kind: 'demand'; readonly demand: Demand }
  /** No rule captures for so long; 0 ends that. */
  | { readonly kind: 'pause'; readonly forMs: number }

/** A capture that somebody asks the daemon for, whatever its rules say. */
export type Demand = {
  /** Told again with what becomes of it. */
  readonly id: string
  readonly process:
    | { readonly kind: 'pid'; readonly pid: number }
    /** The largest in this cgroup, or below it. */
    | { readonly kind: 'cgroup'; readonly cgroup: string }
    /** The largest of this systemd unit. */
    | { readonly kind: 'unit'; readonly unit: string }
    /** The largest of this Kubernetes pod, by its uid. */
    | { readonly kind: 'pod'; readonly uid: string }
  readonly capture: readonly CaptureKind[]
  /** Names the dump, as a rule would. */
  readonly rule: string
}

/** What a probe watches: the kernel's own count of resident memory, or the address space that is asked for. */
export type ProbeKind = 'rss' | 'address-space'

/** What the probe works by: bpftrace, or the kernel's tracing alone. */
export type ProbeMeans = 'bpftrace' | 'ftrace'

/** How the probe for growth is doing; without one processes are polled. */
export type ProbeState =
  | {
      readonly kind: 'active'
      readonly means: ProbeMeans
      readonly watches: ProbeKind
      /** Why it is not the first choice. */
      readonly instead?: string | undefined
    }
  | { readonly kind: 'ended'; readonly detail: string; readonly retryMs: number }
  | { readonly kind: 'given-up'; readonly detail: string }
  /** Told the first time only. */
  | { readonly kind: 'lost'; readonly events: number }

/** Where profiles of dumps are pushed to. */
export type ProfileStore = {
  readonly kind: 'pyroscope' | 'parca'
  readonly url: string
  readonly labels: Readonly<Record<string, string>>
  /** A file with the token for its `Authorization: Bearer`. */
  readonly tokenFile: string | undefined
}

// ---------------------------------------------------------------- when to capture

/** What a dump may hold; the first two unless a rule says otherwise. */
export const CAPTURE_KINDS = ['census', 'stacks', 'graph', 'core', 'gc'] as const
export type CaptureKind = (typeof CAPTURE_KINDS)[number]

/** What is asked for, in order and each once; a graph is told of what a census has met. */
export const completeKinds = (asked: readonly CaptureKind[]): readonly CaptureKind[] =>
  CAPTURE_KINDS.filter((kind) => asked.includes(kind) || (kind === 'census' && asked.includes('graph')))

/** What a rule does when it fires. */
export type RuleAction =
  | {
      readonly kind: 'capture'
      readonly capture: readonly CaptureKind[]
      /** Whether the process's systemd unit is restarted once the dump is published. */
      readonly restartUnit?: boolean | undefined
    }
  /** Starts tracemalloc in the service itself, so that later captures tell where memory was allocated. */
  | { readonly kind: 'trace'; readonly frames: number }

export type Rule = {
  readonly name: string
  /** Names of targets, or `*`. */
  readonly targets: readonly string[]
  readonly when: Condition
  readonly forMs: number
  readonly cooldownMs: number
  readonly action: RuleAction
}

/** At most this many attempts, good or bad, in a sliding window. */
export type Quota = { readonly max: number; readonly windowMs: number }

export type DecideConfig = {
  readonly rules: readonly Rule[]
  readonly perProcess: Quota
  readonly perTarget: Quota
  /** Of all targets together; none unless told. */
  readonly perHost?: Quota | undefined
  /** Between captures of two processes of a target, unless one is about to hit its limit; none unless told. */
  readonly spacingMs?: number | undefined
  /** How often samples are taken; 1 s unless told. Samples further apart than three of these do not count as continuous. */
  readonly intervalMs?: number | undefined
  /** How soon one that nears a threshold may be looked at again; no sooner than anybody unless told. */
  readonly fastestMs?: number | undefined
  /** How long a process is left alone whose captures failed twice in a row; 1 h unless told. */
  readonly quarantineMs?: number | undefined
  /** One capture per process this long after it was first seen; undefined switches baselines off. */
  readonly baselineAfterMs: number | undefined
}

/** What a rule saw when it fired; goes into dump.json. */
export type FiredRule = {
  readonly rule: string
  readonly kind: Condition['kind'] | 'baseline' | 'manual'
  /** In the condition's own unit: bytes, share of the limit, bytes per ms, ms to the limit. */
  readonly value?: number
  readonly threshold?: number
  readonly limit?: LimitUse
}

export type WaitReason =
  | 'below-threshold'
  | 'not-long-enough'
  | 'latched'
  | 'cooling-down'
  | 'process-quota'
  | 'target-quota'
  | 'host-quota'
  | 'spacing'
  | 'not-enough-samples'
  | 'no-limit'
  | 'not-told'
  | 'less-urgent'
  | 'quarantined'
  | 'paused'

export type Wait = { readonly process: ProcessId; readonly rule: string; readonly reason: WaitReason }

export type CaptureRequest = {
  readonly kind: 'capture'
  readonly process: ProcessId
  readonly fired: FiredRule
  /** Other rules of the same process that this capture satisfies too. */
  readonly alsoFired: readonly string[]
  readonly capture: readonly CaptureKind[]
  /** A rule among these wants its unit restarted once the dump is published. */
  readonly restartUnit?: boolean | undefined
  /** Whose demand it is, if it is one. */
  readonly demand?: string | undefined
}

/** Start tracemalloc in a service, remembering so many calls of each allocation. */
export type TraceRequest = {
  readonly kind: 'trace'
  readonly process: ProcessId
  readonly fired: FiredRule
  /** Other rules of the same process that asked for the same. */
  readonly alsoFired: readonly string[]
  readonly frames: number
}

/** A quarantine that begins or ends; it is told once. */
export type QuarantineChange =
  | {
      readonly kind: 'began'
      readonly process: ProcessId
      /** Captures that failed in a row. */
      readonly failures: number
      readonly leftMs: number
    }
  | { readonly kind: 'ended'; readonly process: ProcessId }

/** At most one capture or trace a turn; why nothing else is captured is told as well. */
export type Verdict =
  CaptureRequest | TraceRequest | { readonly kind: 'wait'; readonly waits: readonly Wait[] }

// ---------------------------------------------------------------- what a capture gives

export type CaptureMethod =
  /** The interpreter took the request itself at a safe point of its main thread. */
  | 'pending-call'
  /** A thread that rested in a system call was sent through the stub and back. */
  | 'resting-thread'
  /** Counted in the service itself, where the configuration allows it and no snapshot could be taken. */
  | 'in-process'

export type CaptureFailure =
  | 'gone'
  | 'busy'
  | 'not-root'
  | 'not-python'
  | 'unsupported-python'
  | 'not-permitted'
  | 'already-traced'
  | 'stopped'
  | 'not-capturable-state'
  | 'seccomp-would-kill'
  | 'gdb-missing'
  | 'gdb-too-old'
  | 'gdb-failed'
  | 'gdb-timed-out'
  | 'not-taken'
  | 'clone-refused'
  | 'no-room'
  | 'not-enough-memory'
  | 'snapshot-died'
  | 'snapshot-hung'
  | 'snapshot-oom-killed'
  | 'bad-payload-output'

export type Phase = { readonly name: string; readonly ms: number }

/** Why a census ends before its end. */
export type Truncation = {
  readonly reason: 'timeout' | 'budget' | 'preempted' | 'snapshot-oom-killed' | 'in-process'
  readonly detail: string
}

/** A snapshot that came to nothing, so that another was taken. */
export type LostSnapshot = { readonly reason: CaptureFailure; readonly detail: string }

export type Captured = {
  readonly kind: 'captured'
  readonly method: CaptureMethod
  /** How long the service stood still, all stops together. */
  readonly pauseMs: number
  readonly phases: readonly Phase[]
  readonly attempts: number
  readonly lost: readonly LostSnapshot[]
  readonly truncated?: Truncation | undefined
  readonly census: Census
  /** Most that the snapshot had copied and allocated; undefined where nothing counts that. */
  readonly copiedBytes?: number | undefined
  /** Read from the snapshot's own smaps, so it costs the service nothing. */
  readonly memoryMap: MemoryMap
}

export type CaptureFailed = {
  readonly kind: 'failed'
  readonly reason: CaptureFailure
  /** What happened, in words. */
  readonly detail: string
  /** What the operator can do about it. */
  readonly hint?: string | undefined
}

export type CaptureOutcome = Captured | CaptureFailed

/** tracemalloc runs in the service. */
export type Traced = {
  readonly kind: 'traced'
  /** How many frames it remembered before; 0 when it did not run. */
  readonly before: number
  /** How many it remembers now. */
  readonly frames: number
  readonly pauseMs: number
  /** `remote-exec`: the interpreter's own interface, which 3.14 has. */
  readonly method: CaptureMethod | 'remote-exec'
}

export type TraceOutcome = Traced | CaptureFailed

// ---------------------------------------------------------------- a dump on disk

export type DumpFile = { readonly name: string; readonly bytes: number; readonly sha256: string }

/** dump.json: what a dump is, why it was taken and what taking it cost. */
export type DumpManifest = {
  readonly format: 1
  readonly target: string
  readonly rule: string
  readonly fired: FiredRule
  readonly also_fired: readonly string[]
  readonly process: {
    readonly boot_id: string
    readonly pid: number
    readonly start_ticks: number
    readonly exe: string
    readonly cmdline: readonly string[]
    readonly user: string
    readonly unit?: string | undefined
    /** Its pid in its own pid namespace, where that is another. */
    readonly inside_pid?: number | undefined
    readonly container_id?: string | undefined
    readonly container?:
      | {
          readonly runtime: Runtime
          readonly pod_uid?: string | undefined
          readonly pod?: string | undefined
          readonly namespace?: string | undefined
          readonly name?: string | undefined
          readonly image?: string | undefined
          readonly labels?: Readonly<Record<string, string>> | undefined
        }
      | undefined
  }
  /** When the verdict fell. */
  readonly started_at: string
  readonly finished_at: string
  readonly rss_bytes: number
  /** What was asked for. */
  readonly capture?: readonly CaptureKind[] | undefined
  readonly outcome: 'captured' | 'outside-only'
  /** Why there is no census, when there is none. */
  readonly failure?: { readonly reason: CaptureFailure; readonly detail: string } | undefined
  readonly method: CaptureMethod | 'none'
  readonly pause_ms: number
  readonly phases: readonly Phase[]
  readonly attempts: number
  /** Most that the snapshot had copied and allocated. */
  readonly copied_bytes?: number | undefined
  /** Whether everything that was asked for is in it. */
  readonly complete?: boolean | undefined
  readonly truncated?: Truncation | undefined
  /** Snapshots that came to nothing before the one that gave the census. */
  readonly lost?: readonly LostSnapshot[] | undefined
  readonly python_version: string | null
  readonly machine?: MachineFacts | undefined
  /** Of the leak that its findings name. */
  readonly fingerprint?: string | undefined
  readonly files: readonly DumpFile[]
}

/** A dump with its contents, as analysis wants it. */
export type Dump = {
  /** `target/name` in the store. */
  readonly id: string
  readonly path: string
  readonly manifest: DumpManifest
  readonly outside: OutsideEvidence
  readonly census?: Census | undefined
  readonly memoryMap?: MemoryMap | undefined
  readonly collections?: Collections | undefined
  /** How the process has ended since, where that was seen. */
  readonly ending?: Ending | undefined
}

export type StoreFailure = 'missing' | 'unsafe' | 'read-only' | 'no-space' | 'not-permitted' | 'io-error'
