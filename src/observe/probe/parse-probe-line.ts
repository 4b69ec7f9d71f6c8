import type { ProbeEvent } from './probe.ts'

/**
 * Reads one line of what bpftrace prints with `-f json`, of any version from 0.17 on. Blank lines, warnings and whatever
 * else it may say are undefined.
 */
export function parseProbeLine(line: string): ProbeEvent | undefined {
  if (!line.startsWith('{') || line.length > MAX_LINE) return undefined
  const message = parseJson(line)
  switch (message?.['type']) {
    case 'attached_probes':
      return { kind: 'attached' }
    case 'lost_events':
      return { kind: 'lost', events: countLost(message) }
    case 'printf':
      return typeof message['data'] === 'string' ? parseTold(message['data']) : undefined
    default:
      return undefined
  }
}

const MAX_LINE = 4096

function parseJson(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

// To 0.23 the count stands in `data` alone, from 0.27 on beside it as well.
function countLost({ data }: Readonly<Record<string, unknown>>): number {
  const count: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'events') : undefined
  return typeof count === 'number' ? count : 0
}

/** `rss PID BYTES`, `grown PID BYTES`, `oom PID`, `exec PID`, `exit PID`. */
function parseTold(text: string): ProbeEvent | undefined {
  const [, what, pid, bytes] = /^(rss|grown|oom|exec|exit) (\d{1,10})(?: (\d{1,20}))?\s*$/.exec(text) ?? []
  if (pid === undefined) return undefined
  if (what === 'oom' || what === 'exec' || what === 'exit') return { kind: what, pid: Number(pid) }
  return bytes === undefined ? undefined : { kind: 'growth', pid: Number(pid), bytes: Number(bytes) }
}
