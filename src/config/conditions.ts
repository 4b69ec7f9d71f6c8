import { z } from 'zod'
import { type Condition, type LevelCondition, MEMORY_EVENTS, PRESSURE_WINDOWS } from '../model.ts'
import { duration, pattern, rate, section, share, size } from './fields.ts'

const WINDOW = 'How far back growth is measured, at most sampling.history.'
const CLEAR = 'Ready to fire again below this; 90% of above.'
const MOST_CONDITIONS = 8
const MOST_STEPS = 16

/** Of a size that is measured. */
const sizeAbove = (description: string) =>
  section(description, {
    above: size().meta({ description: 'Fires above this size.' }),
    clear_below: size().optional().meta({ description: CLEAR }),
  }).optional()

/** Of a share that is measured. */
const shareAbove = (description: string) =>
  section(description, {
    above: share().meta({ description: 'Fires above this share.' }),
    clear_below: share().optional().meta({ description: CLEAR }),
  }).optional()

const levels = {
  rss: section('Resident memory.', {
    above: size().optional().meta({ description: 'Fires above this size.' }),
    clear_below: size().optional().meta({ description: CLEAR }),
    ratchet: share().optional().meta({
      description:
        'Fires again only so much above the size at the last capture; without it after clear_below.',
    }),
    steps: z.array(size()).min(1).max(MOST_STEPS).optional().meta({
      description: 'Instead of above: fires above each of these sizes, once in the life of a process.',
    }),
  }).optional(),
  limit: shareAbove('Share of the tightest limit: cgroup or rlimit, else host memory.'),
  growth: section('Growth of resident memory over a window.', {
    above: rate().meta({ description: 'Fires above this rate.' }),
    clear_below: rate().optional().meta({ description: CLEAR }),
    window: duration().prefault('30m').meta({ description: WINDOW }),
    floor: size().optional().meta({ description: 'Smaller processes may grow as they like.' }),
    min_change: size().optional().meta({
      description:
        'What its lowest point must have risen by, from the first half of the window to the second, and by a tenth of how far it went up and down.',
    }),
  }).optional(),
  time_to_limit: section('Time until the tightest limit is reached, if growth goes on as over the window.', {
    below: duration().meta({ description: 'Fires when less time than this is left.' }),
    clear_above: duration()
      .optional()
      .meta({ description: 'Ready to fire again above this; 110% of below.' }),
    window: duration().prefault('5m').meta({ description: WINDOW }),
    captures: z.number().min(1).max(100).optional().meta({
      description: 'Fires earlier where so many captures of the target would take longer than below.',
    }),
  }).optional(),
  pressure: section('Share of time in which tasks stand still for want of memory (PSI).', {
    above: share().meta({ description: 'Fires above this share.' }),
    clear_below: share().optional().meta({ description: CLEAR }),
    of: z.enum(['cgroup', 'host']).prefault('cgroup').meta({ description: 'Whose tasks.' }),
    stall: z.enum(['some', 'full']).prefault('some').meta({ description: 'Some of them, or all at once.' }),
    over: z.enum(PRESSURE_WINDOWS).prefault('10s').meta({ description: "The kernel's average over this." }),
  }).optional(),
  memory_events: section("What the kernel counts of the process's cgroup.", {
    event: z.enum(MEMORY_EVENTS).meta({
      description:
        'high: throttled at memory.high; max: stopped at the limit; oom_kill. cgroup v1 has no high.',
    }),
    above: z.int().min(0).max(1_000_000).prefault(0).meta({ description: 'Fires when it is more often.' }),
    window: duration().prefault('1m').meta({ description: 'How far back it is counted.' }),
  }).optional(),
  cgroup_share: shareAbove('Resident memory as a share of what the limited cgroup uses.'),
  swap: sizeAbove('What is swapped out.'),
  pss: sizeAbove('Resident memory, shared pages in parts; read once a minute, above this RSS.'),
  uss: sizeAbove('Resident memory of nobody else; read once a minute, above this RSS.'),
  age: section('Time since the process was started.', {
    above: duration().meta({ description: 'Fires for older processes.' }),
  }).optional(),
}

const LEVELS = Object.keys(levels).join(', ')

/** One thing that is measured. */
const levelSchema = section('One condition.', levels)
  .refine((given) => Object.keys(given).length === 1, {
    error: `needs exactly one of ${LEVELS}`,
    when: ({ issues }) => !issues.some((issue) => (issue.path ?? []).length === 0),
  })
  .meta({ minProperties: 1, maxProperties: 1 })

const several = (description: string) =>
  z.array(levelSchema).min(2).max(MOST_CONDITIONS).optional().meta({ description })

/** `when` of a rule. */
export const whenSchema = section('What must be true; exactly one condition.', {
  ...levels,
  all: several('All of these at the same time.'),
  any: several('One of these.'),
  schedule: section('At given times, whatever the memory.', {
    cron: pattern().meta({ description: 'Cron expression: `0 3 * * *` is every night at three.' }),
    timezone: pattern().optional().meta({ description: "Time zone of the expression; the machine's own." }),
  }).optional(),
})
  .refine((conditions) => Object.keys(conditions).length === 1, {
    error: `needs exactly one of ${LEVELS}, all, any, schedule`,
    // Not on top of an unknown key, which is the likely reason why the count is wrong.
    when: ({ issues }) => !issues.some((issue) => (issue.path ?? []).length === 0),
  })
  .meta({ minProperties: 1, maxProperties: 1 })

type FileCondition = z.output<typeof whenSchema>
type FileLevel = z.output<typeof levelSchema>

/** A condition that the schema has accepted, with the thresholds that it leaves to us. */
export const toCondition = ({ all, any, schedule, ...level }: FileCondition): Condition => {
  if (all !== undefined) return { kind: 'all', conditions: all.map(toLevel) }
  if (any !== undefined) return { kind: 'any', conditions: any.map(toLevel) }
  if (schedule !== undefined) return { kind: 'schedule', cron: schedule.cron, timezone: schedule.timezone }
  return toLevel(level)
}

// A value that trembles around its threshold must not fire again and again.
const CLEAR_BELOW = 0.9
const CLEAR_ABOVE = 1.1

type Bound = { readonly above: number; readonly clear_below?: number | undefined }

const sizes = ({ above, clear_below: clear }: Bound) => ({
  aboveBytes: above,
  clearBelowBytes: clear ?? Math.round(above * CLEAR_BELOW),
})

const shares = ({ above, clear_below: clear }: Bound) => ({
  aboveShare: above,
  clearBelowShare: clear ?? above * CLEAR_BELOW,
})

const toRss = ({ above = 0, clear_below, ratchet, steps }: NonNullable<FileLevel['rss']>): LevelCondition => {
  if (steps !== undefined) return { kind: 'steps', bytes: steps.toSorted((a, b) => a - b) }
  if (ratchet !== undefined) return { kind: 'ratchet', aboveBytes: above, riseShare: ratchet }
  return { kind: 'rss', ...sizes({ above, clear_below }) }
}

const toGrowth = (growth: NonNullable<FileLevel['growth']>): LevelCondition => ({
  kind: 'growth',
  aboveBytesPerMs: growth.above,
  clearBelowBytesPerMs: growth.clear_below ?? growth.above * CLEAR_BELOW,
  windowMs: growth.window,
  ...(growth.floor !== undefined && { floorBytes: growth.floor }),
  ...(growth.min_change !== undefined && { minChangeBytes: growth.min_change }),
})

const toTimeToLimit = (time: NonNullable<FileLevel['time_to_limit']>): LevelCondition => ({
  kind: 'time-to-limit',
  belowMs: time.below,
  clearAboveMs: time.clear_above ?? Math.round(time.below * CLEAR_ABOVE),
  windowMs: time.window,
  ...(time.captures !== undefined && { captures: time.captures }),
})

/** How each is converted; the first that is there is the only one. */
const converters: readonly ((level: FileLevel) => LevelCondition | undefined)[] = [
  ({ rss }) => rss && toRss(rss),
  ({ limit }) => limit && { kind: 'limit', ...shares(limit) },
  ({ growth }) => growth && toGrowth(growth),
  ({ time_to_limit: time }) => time && toTimeToLimit(time),
  ({ pressure }) =>
    pressure && {
      kind: 'pressure',
      ...shares(pressure),
      of: pressure.of,
      stall: pressure.stall,
      over: pressure.over,
    },
  ({ memory_events: events }) =>
    events && {
      kind: 'memory-events',
      event: events.event,
      aboveCount: events.above,
      windowMs: events.window,
    },
  ({ cgroup_share: part }) => part && { kind: 'cgroup-share', ...shares(part) },
  ({ swap }) => swap && { kind: 'swap', ...sizes(swap) },
  ({ pss }) => pss && { kind: 'pss', ...sizes(pss) },
  ({ uss }) => uss && { kind: 'uss', ...sizes(uss) },
  ({ age }) => age && { kind: 'age', aboveMs: age.above },
]

const toLevel = (level: FileLevel): LevelCondition => {
  for (const convert of converters) {
    const condition = convert(level)
    if (condition !== undefined) return condition
  }
  throw new Error('the schema has accepted a rule without a condition')
}
