import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** Where the daemon's events go. */
export type Log = Logger

/** syslog's numbers, which journald takes from the start of a line. */
const PRIORITY: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
}

/** The daemon's log on stderr: for people on a terminal, else one JSON object a line, with its priority for journald. */
export function openLog(level: string, env: NodeJS.ProcessEnv, isTerminal: boolean): Log {
  if (isTerminal)
    return pino(
      { level, base: null },
      pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss.l' }),
    )
  const isJournal = env['JOURNAL_STREAM'] !== undefined
  return pino(
    {
      level,
      base: null,
      timestamp: isJournal ? false : pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => (isJournal ? `<${priorityOf(line)}>${line}` : line) },
    },
    pino.destination({ dest: 2, sync: true }),
  )
}

const priorityOf = (line: string): number => PRIORITY[/^\{"level":"(\w+)"/.exec(line)?.[1] ?? 'info'] ?? 6
