import { z } from 'zod'
import { emptyMemory, MAX_ATTEMPTS, type Memory, pauseLeftMs, type ProcessMemory } from './memory.ts'

/** When a state is saved or restored, by both clocks: only the wall clock goes on while we are down. */
export type Clocks = { readonly nowMs: number; readonly wallMs: number }

/** A memory as text that outlives the daemon. Times are ages; what was pending has to begin again after a restart. */
export const serialise = (memory: Memory, { nowMs, wallMs }: Clocks): string => {
  const age = (atMs: number): number => Math.max(0, Math.round(nowMs - atMs))
  const processes = [...memory.processes].map(([key, known]) => ({
    key,
    firstSeenAgo: age(known.firstSeenMs),
    isBaselineSettled: known.isBaselineSettled,
    points: known.points.map(({ atMs, rssBytes }) => [age(atMs), rssBytes] as const),
    rules: [...known.rules].flatMap(([name, { kind, sinceMs }]) =>
      kind === 'pending' ? [] : [{ name, kind, ago: age(sinceMs) }],
    ),
    attempts: known.attempts.map(({ endedMs, rules, isTrace }) => ({ ago: age(endedMs), rules, isTrace })),
    peaks: [...(known.peaks ?? [])],
    failures: known.failures && { count: known.failures.count, ago: age(known.failures.lastMs) },
  }))
  const targets = [...memory.targetAttempts].map(([name, attempts]) => ({ name, ago: attempts.map(age) }))
  const pauseLeft = Math.round(pauseLeftMs(memory, nowMs))
  const costs = [...(memory.captureCosts ?? [])]
  return JSON.stringify({ format: 1, savedAtMs: wallMs, processes, targets, pauseLeft, costs })
}

export type Restored =
  | { readonly kind: 'restored'; readonly memory: Memory }
  /** Starts from nothing, and says why. */
  | { readonly kind: 'refused'; readonly memory: Memory; readonly reason: string }

/** A memory from saved text. Anything unexpected in it is refused as a whole. */
export const restore = (text: string, { nowMs, wallMs }: Clocks): Restored => {
  if (text.length > MAX_TEXT_LENGTH) return refuse('too large')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return refuse('not JSON')
  }
  const parsed = savedState.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return refuse(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
  }
  // A wall clock that was set back must not put anything into the future.
  const downMs = Math.max(0, wallMs - parsed.data.savedAtMs)
  const at = (ago: number): number => nowMs - ago - downMs
  const { processes, targets, pauseLeft, costs } = parsed.data
  return {
    kind: 'restored',
    memory: {
      ...emptyMemory(),
      processes: new Map(processes.map((saved) => [saved.key, toProcess(saved, at, nowMs)])),
      targetAttempts: new Map(targets.map(({ name, ago }) => [name, ago.map(at)])),
      captureCosts: new Map(costs),
      pausedUntilMs: nowMs + pauseLeft - downMs,
    },
  }
}

const MAX_TEXT_LENGTH = 64 * 1024 * 1024

const name = z.string().min(1).max(1000)
const count = z.number().nonnegative()
const savedState = z.object({
  format: z.literal(1),
  savedAtMs: count,
  processes: z.array(
    z.object({
      key: name,
      firstSeenAgo: count,
      isBaselineSettled: z.boolean(),
      points: z.array(z.tuple([count, count])).max(MAX_ATTEMPTS),
      rules: z.array(z.object({ name, kind: z.enum(['due', 'latched']), ago: count })).max(MAX_ATTEMPTS),
      attempts: z
        .array(z.object({ ago: count, rules: z.array(name), isTrace: z.boolean().optional() }))
        .max(MAX_ATTEMPTS),
      failures: z.object({ count, ago: count }).optional(),
      peaks: z
        .array(z.tuple([name, count]))
        .max(MAX_ATTEMPTS)
        .default([]),
    }),
  ),
  targets: z.array(z.object({ name, ago: z.array(count).max(MAX_ATTEMPTS) })),
  pauseLeft: count.default(0),
  costs: z
    .array(z.tuple([name, count]))
    .max(1000)
    .default([]),
})

const refuse = (what: string): Restored => ({
  kind: 'refused',
  memory: emptyMemory(),
  reason: `saved state is malformed: ${what.slice(0, 200)}`,
})

const toProcess = (
  {
    firstSeenAgo,
    isBaselineSettled,
    points,
    rules,
    attempts,
    failures,
    peaks,
  }: z.infer<typeof savedState>['processes'][number],
  at: (ago: number) => number,
  nowMs: number,
): ProcessMemory => ({
  process: undefined,
  firstSeenMs: at(firstSeenAgo),
  lastSeenMs: nowMs,
  points: points.map(([ago, rssBytes]) => ({ atMs: at(ago), rssBytes })).toSorted((a, b) => a.atMs - b.atMs),
  latest: undefined,
  rules: new Map(rules.map(({ name: rule, kind, ago }) => [rule, { kind, sinceMs: at(ago) }])),
  attempts: attempts.map(({ ago, rules: answered, isTrace }) => ({
    endedMs: at(ago),
    rules: answered,
    isTrace,
  })),
  isBaselineSettled,
  peaks: new Map(peaks),
  failures: failures && { count: failures.count, lastMs: at(failures.ago) },
  // Told again: the log of this daemon begins here.
  isQuarantined: false,
})
