import type { z } from 'zod'
import {
  completeKinds,
  type DecideConfig,
  type Hook,
  type MetricsPlaces,
  type ProfileStore,
  type Rule,
  type RuleAction,
  type Target,
  type Upload,
  type Webhook,
} from '../model.ts'
import type { SizeOrShare } from './fields.ts'
import { DEFAULT_KINDS, DEFAULT_FRAMES, configSchema } from './schema.ts'
import { type KubernetesConfig, toKubernetes } from './kubernetes-section.ts'
import { toCondition } from './conditions.ts'
import type { ruleSchema } from './schema.ts'
import { toHook, toMetricsPlaces, toWebhook } from './telling.ts'
import { toUpload } from './upload.ts'

/** The configuration as the daemon uses it: defaults filled in, units taken away. */
export type Config = {
  readonly store: {
    readonly dir: string
    readonly keepTotalBytes: number
    readonly keepAgeMs: number
    readonly keepPerTarget: number
    readonly reserveBytes: number
  }
  readonly sampling: {
    readonly intervalMs: number
    readonly probe: 'auto' | 'on' | 'off'
    readonly probeKind: 'rss' | 'address-space'
    readonly probeStepBytes: number | undefined
    readonly discoveryMs: number
    readonly historyMs: number
    /** Where samples are recorded. */
    readonly recordFile: string | undefined
  }
  /** In the order in which they are tried. */
  readonly targets: readonly Target[]
  readonly decide: DecideConfig
  readonly capture: {
    readonly timeoutMs: number
    readonly gdbTimeoutMs: number
    readonly maxRssBytes: number
    readonly hostReserveShare: number
    /** What a snapshot may copy and allocate; a share is one of the service's RSS. */
    readonly maxCopy: SizeOrShare
    /** Of the cgroup that a snapshot is charged to. */
    readonly memoryLimitBytes: number | undefined
    /** Of one CPU, for all snapshots together. */
    readonly cpuMaxShare: number | undefined
    readonly allowInline: boolean
  }
  readonly kubernetes: KubernetesConfig
  readonly profiles: readonly ProfileStore[]
  /** Where finished dumps are sent. */
  readonly upload: Upload | undefined
  readonly hooks: readonly Hook[]
  readonly webhooks: readonly Webhook[]
  readonly metrics: MetricsPlaces
  /** What the daemon itself may use, with its gdb and bpftrace. */
  readonly own: { readonly memoryMaxBytes: number; readonly cpuMaxShare: number }
  /** Where the daemon listens. */
  readonly socket: string
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error'
}

/** A file that the schema has accepted, as the daemon uses it. */
export const toConfig = (file: z.output<typeof configSchema>): Config => ({
  store: {
    dir: file.store.dir,
    keepTotalBytes: file.store.keep.total,
    keepAgeMs: file.store.keep.age,
    keepPerTarget: file.store.keep.per_target,
    reserveBytes: file.store.reserve,
  },
  sampling: {
    intervalMs: file.sampling.interval,
    probe: file.sampling.probe,
    probeKind: file.sampling.probe_kind,
    probeStepBytes: file.sampling.probe_step,
    discoveryMs: file.sampling.discovery,
    historyMs: file.sampling.history,
    recordFile: file.sampling.record,
  },
  targets: inOrderOfTrial(file.targets),
  decide: {
    rules: file.rules.map(toRule),
    intervalMs: file.sampling.interval,
    fastestMs: file.sampling.fastest,
    perProcess: { max: file.limits.per_process.max, windowMs: file.limits.per_process.window },
    perTarget: { max: file.limits.per_target.max, windowMs: file.limits.per_target.window },
    perHost: { max: file.limits.per_host.max, windowMs: file.limits.per_host.window },
    spacingMs: file.limits.spacing,
    quarantineMs: file.capture.quarantine,
    baselineAfterMs: file.baseline === 'off' ? undefined : file.baseline.after,
  },
  capture: {
    timeoutMs: file.capture.timeout,
    gdbTimeoutMs: file.capture.gdb_timeout,
    maxRssBytes: file.capture.max_rss,
    hostReserveShare: file.capture.host_reserve,
    maxCopy: file.capture.max_copy,
    memoryLimitBytes: file.capture.memory_limit,
    cpuMaxShare: file.capture.cpu_max,
    allowInline: file.capture.allow_inline,
  },
  kubernetes: toKubernetes(file.kubernetes),
  profiles: file.profiles.map(({ kind, url, labels, token_file: tokenFile }) => ({
    kind,
    url,
    labels,
    tokenFile,
  })),
  upload: file.upload === 'off' ? undefined : toUpload(file.upload),
  hooks: file.hooks.map(toHook),
  webhooks: file.webhooks.map(toWebhook),
  metrics: toMetricsPlaces(file.metrics),
  own: { memoryMaxBytes: file.daemon.memory_max, cpuMaxShare: file.daemon.cpu_max },
  socket: file.daemon.socket,
  logLevel: file.log.level,
})

/** A rule that the schema has accepted, with the thresholds that it leaves to us. */
export const toRule = (rule: z.output<typeof ruleSchema>): Rule => ({
  name: rule.name,
  targets: rule.targets,
  when: toCondition(rule.when),
  forMs: rule.when.schedule === undefined ? (rule.for ?? DEFAULT_FOR_MS) : 0,
  cooldownMs: rule.cooldown,
  action: toAction(rule),
})

const toAction = ({ action, capture, frames, ...rule }: z.output<typeof ruleSchema>): RuleAction =>
  action === 'trace'
    ? { kind: 'trace', frames: frames ?? DEFAULT_FRAMES }
    : {
        kind: 'capture',
        capture: completeKinds(capture ?? DEFAULT_KINDS),
        ...(rule.restart_unit && { restartUnit: true }),
      }

const DEFAULT_FOR_MS = 10_000

// A target that takes every process is what is left for the others, wherever it stands: a drop-in that adds a target
// to the default config comes after it.
const inOrderOfTrial = (targets: readonly Target[]): readonly Target[] => [
  ...targets.filter((target) => !takesEverything(target)),
  ...targets.filter(takesEverything),
]

/** Whether a target takes every process that no other target takes. */
export const takesEverything = ({ match }: Target): boolean =>
  Object.keys(match).length === 1 && ['.', '.*', '.+'].includes(match.cmdline ?? '')

/** What holds where the file says nothing. */
export const defaultConfig: Config = toConfig(configSchema.parse({}))
