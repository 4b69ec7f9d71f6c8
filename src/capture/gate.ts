import type { CaptureFailed } from '../model.ts'

/** What the capture has to know of /proc/PID/status. */
export type GateFacts = {
  readonly state: string
  readonly tracerPid: number
  /** 2 when a seccomp filter is installed. */
  readonly seccomp: number
  /** Its return addresses are kept twice, by the processor. */
  readonly hasShadowStack: boolean
  readonly rssBytes: number
  readonly anonBytes: number
  readonly fileBytes: number
  readonly shmemBytes: number
}

/** Reads the facts out of /proc/PID/status; numbers that are not there are 0. */
export function parseGateFacts(status: string): GateFacts {
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? ''
  const number = (name: string): number => Number(field(name)) || 0
  return {
    state: field('State'),
    tracerPid: number('TracerPid'),
    seccomp: number('Seccomp'),
    hasShadowStack: /^x86_Thread_features:.*\bshstk\b/m.test(status),
    rssBytes: number('VmRSS') * 1024,
    anonBytes: number('RssAnon') * 1024,
    fileBytes: number('RssFile') * 1024,
    shmemBytes: number('RssShmem') * 1024,
  }
}

/** A thread that gdb could not stop, and would wait for, while all others stand still. */
export const isUnstoppable = (state: string): boolean => ['D', 'T', 't'].includes(state)

/** Why this process must be left alone now, if it must. Pure. */
export function refuseState(facts: GateFacts, maxRssBytes: number): CaptureFailed | undefined {
  const refuse = (reason: CaptureFailed['reason'], detail: string, hint?: string): CaptureFailed => ({
    kind: 'failed',
    reason,
    detail,
    hint,
  })
  if (facts.tracerPid !== 0)
    return refuse(
      'already-traced',
      `process ${facts.tracerPid} is tracing it`,
      'end the debugger or strace that is attached, then capture again',
    )
  switch (facts.state) {
    case 'R':
    case 'S':
      break
    case 'T':
    case 't':
      return refuse('stopped', 'the process is stopped', 'continue it with: kill -CONT PID')
    case 'Z':
    case 'X':
    case '':
      return refuse('gone', 'the process has ended and waits for its parent to notice (zombie)')
    default:
      return refuse(
        'not-capturable-state',
        `the process is in state ${facts.state}, where attaching would hang`,
        'it waits for a device or is frozen; try again when it runs',
      )
  }
  if (facts.hasShadowStack)
    return refuse(
      'not-capturable-state',
      'its stacks are guarded by the processor (shadow stacks), and a detour would end it',
      'start it with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off',
    )
  if (facts.rssBytes > maxRssBytes)
    return refuse(
      'not-enough-memory',
      `its RSS of ${facts.rssBytes} bytes is over capture.max_rss (${maxRssBytes} bytes)`,
      'copying its page tables would stop it for long; raise capture.max_rss if that is acceptable',
    )
  return undefined
}
