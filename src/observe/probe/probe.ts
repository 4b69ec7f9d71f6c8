/** What a probe says. */
export type ProbeEvent =
  /** It is attached: from now on growth is seen. */
  | { readonly kind: 'attached' }
  /** A process has grown; only a hint, since it may be one of another pid namespace, or gone by now. */
  | { readonly kind: 'growth'; readonly pid: number; readonly bytes: number }
  /** The OOM killer has chosen a process, a process runs another program now, or has ended. */
  | { readonly kind: 'oom' | 'exec' | 'exit'; readonly pid: number }
  /** Events that the kernel had no room for; 0 when it does not say how many. */
  | { readonly kind: 'lost'; readonly events: number }

export type ProbeEnd = {
  /** Whether it was ever attached. */
  readonly wasAttached: boolean
  /** Why it could not be started, or the last of what it complained of. */
  readonly detail: string
}

export type RunningProbe = {
  readonly stop: () => void
}

/** A way to notice growth: starts, tells what it sees, then once how it ended unless it was stopped. */
export type Probe = (onEvent: (event: ProbeEvent) => void, onEnd: (end: ProbeEnd) => void) => RunningProbe
