import type { Memory } from '../decide/memory.ts'
import { remember } from '../decide/memory.ts'
import { preempt } from '../decide/preempt.ts'
import type { CaptureRequest, DecideConfig } from '../model.ts'
import type { Observer } from '../observe/observe.ts'

export type Lookout = {
  /** Why the capture has to end now, once it does. */
  readonly giveWay: () => string | undefined
  readonly stop: () => void
}

/** Looks at the others while a capture runs that can give way: who is about to run out of memory does not wait for its end. */
export function startLookout(
  observer: Pick<Observer, 'peek'>,
  start: Memory,
  running: CaptureRequest,
  { config, intervalMs }: { readonly config: DecideConfig; readonly intervalMs: number },
): Lookout {
  let memory = start
  let because: string | undefined
  let isLooking = false
  const look = async (): Promise<void> => {
    isLooking = true
    const nowMs = performance.now()
    memory = remember(memory, { ...(await observer.peek(nowMs)), appeared: [], gone: [] })
    const found = preempt(memory, running, config, nowMs)
    memory = found.memory
    if ('pid' in found) because ??= `${found.rule} of process ${found.pid} could not wait for its end`
    isLooking = false
  }
  const timer = setInterval(() => void (isLooking || look().catch(() => (isLooking = false))), intervalMs)
  return { giveWay: () => because, stop: () => clearInterval(timer) }
}
