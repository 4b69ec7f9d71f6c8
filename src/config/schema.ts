import { z } from 'zod'
import { CAPTURE_KINDS, type CaptureKind, POD_RULES } from '../model.ts'
import { count, duration, durationOrZero, name, path, section, share, size, sizeOrZero } from './fields.ts'
import { captureSchema } from './capture-section.ts'
import { kubernetesSchema } from './kubernetes-section.ts'
import { matchSchema } from './match-section.ts'
import { whenSchema } from './conditions.ts'
import { MOST_PROFILE_STORES, profileStoreSchema } from './profile-store.ts'
import { hookSchema, metricsSchema, MOST_RECEIVERS, webhookSchema } from './telling.ts'
import { uploadSchema } from './upload.ts'
import { quoted } from './words.ts'

// The structure of the file and nothing else: what can be said in JSON Schema too, so that an editor and the daemon
// agree. Only amounts that are out of range are left to the daemon. What keys mean together is in check-meaning.ts.

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The longest that a list of targets or rules can be. */
export const MOST_ENTRIES = 200

/** What a dump holds where a rule does not say. */
export const DEFAULT_KINDS = ['census', 'stacks'] as const satisfies readonly CaptureKind[]

/** How many calls of each allocation a trace remembers where a rule does not say. */
export const DEFAULT_FRAMES = 5
const MOST_FRAMES = 50

/** One entry of `targets`. */
export const targetSchema = section('A kind of process to watch. The first match names a process.', {
  name: name('manual').meta({ description: 'Names the directory of its dumps.' }),
  match: matchSchema,
})

/** One entry of `rules`. */
export const ruleSchema = section('When to capture.', {
  name: name(['manual', 'baseline', ...Object.values(POD_RULES)].join('|')).meta({
    description: 'Names the dumps that it causes.',
  }),
  targets: z
    .array(z.string())
    .min(1)
    .max(MOST_ENTRIES)
    .prefault(['*'])
    .meta({ description: 'Names of targets that the rule holds for; * is all of them.' }),
  when: whenSchema,
  for: durationOrZero()
    .optional()
    .meta({ description: 'How long the condition must hold; 0s is at once.', default: '10s' }),
  cooldown: durationOrZero()
    .prefault('15m')
    .meta({ description: 'Rest after a capture of the same process.' }),
  action: z
    .enum(['capture', 'trace'])
    .prefault('capture')
    .meta({
      description:
        'What it does: capture, or trace: start tracemalloc in the service itself, which slows it down, so that later ' +
        'captures tell the lines that allocated.',
    }),
  capture: z
    .array(z.enum(CAPTURE_KINDS))
    .min(1)
    .optional()
    .meta({
      description:
        'What a dump holds: census (objects by type and owner), stacks (of all threads), core (for gdb, as large as the process).',
      default: [...DEFAULT_KINDS],
    }),
  restart_unit: z.boolean().prefault(false).meta({
    description: 'Restart the systemd unit of the process once the dump is published.',
  }),
  frames: z.number().int().min(1).max(MOST_FRAMES).optional().meta({
    description: 'With action trace: how many calls of each allocation are remembered.',
    default: DEFAULT_FRAMES,
  }),
})

/** The section `sampling`. */
export const samplingSchema = section('How often to look.', {
  interval: duration(100, HOUR_MS).prefault('1s').meta({ description: 'Between two samples of a process.' }),
  fastest: duration(20, HOUR_MS).prefault('100ms').meta({
    description:
      'A process that grows towards a threshold is looked at more often than the interval, but not more often than this.',
  }),
  probe: z.enum(['auto', 'on', 'off']).prefault('auto').meta({
    description:
      'Waking up on growth through bpftrace: auto where it works, on (says so where it does not), or off. Without it processes are polled.',
  }),
  probe_kind: z.enum(['rss', 'address-space']).prefault('rss').meta({
    description:
      'What the probe watches: rss (exact; some 10 % on each first touch of a page), or address-space (brk and mmap; inexact, and 15 to 20 % on every system call of the machine).',
  }),
  probe_step: size().optional().meta({
    description:
      'How much a process must grow for the probe to tell of it again; without it a part of the lowest threshold.',
  }),
  discovery: duration(100, HOUR_MS)
    .prefault('5s')
    .meta({ description: 'Between two searches for processes.' }),
  record: path().optional().meta({
    description: 'File that samples are appended to, for pyheapctl replay; two of 64 MiB at most are kept.',
  }),
  history: duration(10 * SECOND_MS, 7 * DAY_MS)
    .prefault('30m')
    .meta({ description: 'How long samples are kept; no window of a rule can be longer.' }),
})

const quota = (description: string, max: number) =>
  section(description, {
    max: count().prefault(max).meta({ description: 'Captures in the window, failed ones included.' }),
    window: duration().prefault('24h').meta({ description: 'How far back captures are counted.' }),
  }).prefault({})

const baseline = section('One capture of every process while it is still healthy, to compare with.', {
  after: duration().prefault('5m').meta({ description: 'Process age at which it is taken.' }),
})

/** The whole file. */
export const configSchema = section('Configuration of pyheap-watchd.', {
  store: section('Where dumps are and how long they stay.', {
    dir: z
      .string()
      .max(1000)
      .regex(/^(?:\/[^/\0\r\n]+)+\/?$/, {
        error: ({ input }) =>
          `${quoted(String(input))} is no absolute path of a directory: write /var/lib/pyheap ...`,
      })
      .prefault('/var/lib/pyheap')
      .meta({ description: 'Absolute path of the directory that holds all dumps.' }),
    keep: section('The oldest dumps go when one of these is exceeded.', {
      total: size().prefault('10GiB').meta({ description: 'Size of all dumps together.' }),
      age: duration().prefault('14d').meta({ description: 'Age of a dump.' }),
      per_target: count().prefault(20).meta({ description: 'Number of dumps of one target.' }),
    }).prefault({}),
    reserve: sizeOrZero().prefault('1GiB').meta({ description: 'Free disk space that dumps never use.' }),
  }).prefault({}),
  sampling: samplingSchema.prefault({}),
  targets: z
    .array(targetSchema)
    .min(1)
    .max(MOST_ENTRIES)
    .prefault([{ name: 'python', match: { cmdline: '.' } }])
    .meta({ description: 'What to watch.' }),
  rules: z
    .array(ruleSchema)
    .max(MOST_ENTRIES)
    .prefault([
      { name: 'near-limit', when: { limit: { above: '75%' } } },
      { name: 'last-chance', when: { limit: { above: '90%' } }, for: '0s' },
      { name: 'will-oom', when: { time_to_limit: { below: '2m', captures: 3 } } },
      {
        name: 'slow-leak',
        when: {
          all: [
            { growth: { above: '1MiB/m', window: '30m', floor: '64MiB', min_change: '8MiB' } },
            { age: { above: '1h' } },
          ],
        },
      },
    ])
    .meta({ description: 'When to capture.' }),
  kubernetes: kubernetesSchema.prefault({}),
  limits: section('How many captures at most, good or bad.', {
    per_process: quota('Of one process.', 3),
    per_target: quota('Of all processes of a target together.', 12),
    per_host: quota('Of all targets together.', 60),
    spacing: durationOrZero().prefault('30s').meta({
      description:
        'Between captures of two processes of a target, but for rules on limits, pressure and memory events.',
    }),
  }).prefault({}),
  baseline: z
    .union([z.literal('off'), baseline])
    .prefault({})
    .meta({ description: 'One capture of every process while it is still healthy, or off.' }),
  capture: captureSchema.prefault({}),
  profiles: z.array(profileStoreSchema).max(MOST_PROFILE_STORES).prefault([]).meta({
    description: 'Where the census of every dump is pushed to, as a profile in the format of pprof.',
  }),
  upload: z
    .union([z.literal('off'), uploadSchema])
    .prefault('off')
    .meta({ description: 'Where finished dumps are sent, or off.' }),
  hooks: z.array(hookSchema).max(MOST_RECEIVERS).prefault([]).meta({
    description: 'Programs that are run when something happens.',
  }),
  webhooks: z.array(webhookSchema).max(MOST_RECEIVERS).prefault([]).meta({
    description: 'Addresses that are told when something happens.',
  }),
  metrics: metricsSchema.prefault({}),
  daemon: section(
    'The daemon itself: what it may use, with its gdb and bpftrace but without snapshots, and where it listens.',
    {
      memory_max: size().prefault('512MiB').meta({
        description: 'Memory, where it runs in a cgroup of its own; over it the kernel ends one of them.',
      }),
      cpu_max: share().prefault('100%').meta({ description: 'Share of one CPU.' }),
      socket: path().prefault('/run/pyheap-watchd/control.sock').meta({
        description: 'Where `pyheapctl status` and others speak to it: root, and the group pyheap.',
      }),
    },
  ).prefault({}),
  log: section('What is logged.', {
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error'])
      .prefault('info')
      .meta({ description: 'Least important level that is logged.' }),
  }).prefault({}),
})
