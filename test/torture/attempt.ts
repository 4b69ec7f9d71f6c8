import type { CaptureKind, CaptureOutcome } from '../../src/model.ts'
import { captureProcess, captureSettings, identify } from '../setup/capture.ts'
import { injectPlainly } from './plain-injection.ts'

/** How one capture went. */
export type Attempt =
  | { readonly kind: 'complete'; readonly snapshots: number; readonly pauseMs: number }
  | { readonly kind: 'failed'; readonly reason: string; readonly detail: string }

export type Method = 'snapshot' | 'plain-injection'

/** Captures a process once, by our own means or as older tools do. */
export async function attempt(pid: number, method: Method, kinds: readonly CaptureKind[]): Promise<Attempt> {
  try {
    identify(pid)
  } catch {
    return { kind: 'failed', reason: 'gone', detail: 'it has ended before the capture' }
  }
  if (method === 'plain-injection') return injectPlainly(pid)
  try {
    return judge(await captureProcess(pid, await captureSettings({ kinds, timeoutMs: 60_000 })))
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { kind: 'failed', reason: 'defect', detail }
  }
}

function judge(outcome: CaptureOutcome): Attempt {
  if (outcome.kind === 'failed') return { kind: 'failed', reason: outcome.reason, detail: outcome.detail }
  const { census, attempts, pauseMs } = outcome
  if (!census.complete)
    return { kind: 'failed', reason: 'incomplete', detail: census.problems.slice(0, 3).join('; ') }
  return { kind: 'complete', snapshots: attempts, pauseMs }
}
