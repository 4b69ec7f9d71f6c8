import { execFile } from 'node:child_process'

/** Tells the service manager how we are doing; without one it does nothing. */
export type Notifier = {
  /** The whole configuration is in force, and everything has been looked at once. */
  readonly ready: () => void
  readonly reloading: () => void
  readonly stopping: () => void
  /** Shown by `systemctl status`. */
  readonly status: (line: string) => void
  /** The loop works. */
  readonly alive: () => void
  /** How often it wants to hear that; undefined where it does not. */
  readonly watchdogMs: number | undefined
}

/**
 * By `systemd-notify`, as Node has no datagrams of this kind: one at a time, and what is new while it runs goes with the
 * next, so that a flood of changes costs few processes. Takes the manager's variables out of `env`, for children must
 * not speak for us.
 */
export function createNotifier(env: NodeJS.ProcessEnv): Notifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUs, WATCHDOG_PID: watchdogPid } = env
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(env, name)
  const pending = new Map<string, string>()
  let isBusy = false
  const send = (): void => {
    if (isBusy || socket === undefined || pending.size === 0) return
    const assignments = [...pending].map(([name, value]) => `${name}=${value}`)
    pending.clear()
    isBusy = true
    const options = {
      env: { ...env, NOTIFY_SOCKET: socket },
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    } as const
    execFile('systemd-notify', assignments, options, () => {
      isBusy = false
      send()
    })
  }
  const say = (assignments: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(assignments)) pending.set(name, value)
    send()
  }
  const isForUs = watchdogPid === undefined || Number(watchdogPid) === process.pid
  const watchdogMs = watchdogUs !== undefined && isForUs ? Number(watchdogUs) / 1000 : undefined
  return {
    ready: () => say({ READY: '1' }),
    reloading: () => say({ RELOADING: '1', MONOTONIC_USEC: String(process.hrtime.bigint() / 1000n) }),
    stopping: () => say({ STOPPING: '1' }),
    status: (line) => say({ STATUS: line.replaceAll('\n', ' ') }),
    alive: () => say({ WATCHDOG: '1' }),
    watchdogMs,
  }
}

const TIMEOUT_MS = 10_000
