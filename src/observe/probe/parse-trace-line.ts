/** What the kernel's own tracing says of growth. */
export type TraceLine =
  | { readonly kind: 'rss'; readonly tid: number; readonly mm: number; readonly bytes: number }
  | { readonly kind: 'oom'; readonly pid: number }
  | { readonly kind: 'lost'; readonly events: number }

/** Reads a line of trace_pipe; undefined for what is none of ours. The name at its start may contain anything. */
export function parseTraceLine(line: string): TraceLine | undefined {
  const [, lost] = /\[LOST (\d{1,12}) EVENTS\]/.exec(line) ?? []
  if (lost !== undefined) return { kind: 'lost', events: Number(lost) }
  const [, tid, event, fields] = /-(\d{1,10}) +\[\d+\] [^:]*: (rss_stat|mark_victim): (.*)$/.exec(line) ?? []
  if (tid === undefined || fields === undefined) return undefined
  if (event === 'mark_victim') {
    const [, pid] = /^pid=(\d{1,10})\b/.exec(fields) ?? []
    return pid === undefined ? undefined : { kind: 'oom', pid: Number(pid) }
  }
  const [, mm, bytes] = /^mm_id=(\d{1,10}) curr=1 type=MM_ANONPAGES size=(\d{1,20})B$/.exec(fields) ?? []
  if (mm === undefined) return undefined
  return { kind: 'rss', tid: Number(tid), mm: Number(mm), bytes: Number(bytes) }
}
