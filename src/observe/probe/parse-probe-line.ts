/** What a probe says. */
export type ProbeEvent =
  /** It is attached: from now on growth is seen. */
  | { readonly kind: 'attached'; readonly probes: number }
  /** A process has grown; only a hint, since it may be one of another pid namespace, or gone by now. */
  | { readonly kind: 'growth'; readonly pid: number; readonly bytes: number }
  /** The OOM killer has chosen a process. */
  | { readonly kind: 'oom'; readonly pid: number }
  /** Events that the kernel had no room for. */
  | { readonly kind: 'lost'; readonly events: number }

/**
 * Reads one line of what bpftrace prints with `-f json`, of any version from 0.17 on. Blank lines, warnings and whatever
 * else it may say are undefined.
 */
export function parseProbeLine(line: string): ProbeEvent | undefined {
  if (!line.startsWith('{') || line.length > MAX_LINE) return undefined
  const message = parseJson(line)
  switch (message?.['type']) {
    case 'attached_probes':
      return { kind: 'attached', probes: countIn(message, 'probes') }
    case 'lost_events':
      return { kind: 'lost', events: countIn(message, 'events') }
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
function countIn({ data }: Readonly<Record<string, unknown>>, name: string): number {
  const count: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined
  return typeof count === 'number' ? count : 0
}

/** `rss PID BYTES`, `grown PID BYTES`, `oom PID`. */
function parseTold(text: string): ProbeEvent | undefined {
  const [, what, pid, bytes] = /^(rss|grown|oom) (\d{1,10})(?: (\d{1,20}))?\s*$/.exec(text) ?? []
  if (pid === undefined) return undefined
  if (what === 'oom') return { kind: 'oom', pid: Number(pid) }
  return bytes === undefined ? undefined : { kind: 'growth', pid: Number(pid), bytes: Number(bytes) }
}
