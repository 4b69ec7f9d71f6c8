import { z } from 'zod'
import type { CaptureFailed, TraceOutcome } from '../model.ts'
import { readLiveSource } from './live-source.ts'
import { runLive } from './run-live.ts'
import { type CaptureSubject, type ServiceSettings, withService } from './with-service.ts'

export type TraceSettings = ServiceSettings & {
  /** src/live/trace.py */
  readonly traceFile: string
}

/** Starting takes microseconds; ending a trace of millions of allocations, to remember more frames, takes seconds. */
const RUN_WITHIN_MS = 20_000

const FRAMES = z.number().int().min(0).max(0xffff)
const Answer = z.object({ before: FRAMES, frames: FRAMES })

/**
 * Starts tracemalloc in a service, at a safe point of its interpreter, unless it runs there already and remembers as
 * many frames. From then on the service is slower and larger: only for whom the configuration asks it.
 */
export async function startTracing(
  subject: CaptureSubject,
  settings: TraceSettings,
  frames: number,
): Promise<TraceOutcome> {
  return withService(subject, settings, async ({ service }): Promise<TraceOutcome> => {
    const ran = await runLive(service, readLiveSource(settings.traceFile, { frames }), RUN_WITHIN_MS)
    if (ran.kind === 'failed') return ran
    const answer = readAnswer(ran.result)
    if (!answer || answer.frames < frames) return notStarted(ran.result)
    return { kind: 'traced', ...answer, pauseMs: Math.round(ran.pauseMs * 10) / 10, method: ran.method }
  })
}

function readAnswer(result: Buffer): z.infer<typeof Answer> | undefined {
  try {
    return Answer.safeParse(JSON.parse(result.toString('latin1'))).data
  } catch {
    return undefined
  }
}

const notStarted = (result: Buffer): CaptureFailed => ({
  kind: 'failed',
  reason: 'bad-payload-output',
  detail: `tracemalloc did not start; the service answered ${JSON.stringify(result.toString('latin1', 0, 100))}`,
})
