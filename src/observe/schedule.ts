import { schedule, validateDetailed, type ScheduledTask } from 'node-cron'

export type ScheduledRule = {
  readonly rule: string
  readonly cron: string
  readonly timezone?: string | undefined
}

/** What is wrong with a cron expression or its time zone, in words; undefined when nothing is. */
export const checkCron = (cron: string, timezone?: string): string | undefined => {
  const { valid, errors } = validateDetailed(cron)
  if (!valid) return errors.map(({ message }) => message).join('; ') || 'not a cron expression'
  if (timezone !== undefined && !isTimezone(timezone)) return `unknown time zone ${JSON.stringify(timezone)}`
  return undefined
}

/** Calls `fire` with the name of each rule whenever its time has come, until stopped. Keeps no process alive. */
export const startSchedules = (
  rules: readonly ScheduledRule[],
  fire: (rule: string) => void,
): { readonly stop: () => Promise<void> } => {
  const tasks = rules.map(({ rule, cron, timezone }) =>
    schedule(cron, () => fire(rule), {
      name: rule,
      noOverlap: true,
      unref: true,
      logger: silent,
      ...(timezone === undefined ? {} : { timezone }),
    }),
  )
  return { stop: () => destroyAll(tasks) }
}

const destroyAll = async (tasks: readonly ScheduledTask[]): Promise<void> => {
  await Promise.all(tasks.map(async (task) => task.destroy()))
}

const isTimezone = (timezone: string): boolean => {
  try {
    return Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

// The package would write to the console; a run missed by a busy daemon only comes at its next time.
const nothing = (): void => {}
const silent = { info: nothing, warn: nothing, error: nothing, debug: nothing }
