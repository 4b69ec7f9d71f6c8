import type { CaptureFailed, CaptureKind, CaptureOutcome, Captured } from '../model.ts'

const MAX_ATTEMPTS = 3

/** What another snapshot may do better. */
const WORTH_ANOTHER: ReadonlySet<string> = new Set(['snapshot-hung', 'snapshot-died', 'snapshot-oom-killed'])

/** What can still be had where the heap cannot be walked for want of memory. */
const CHEAPER: readonly CaptureKind[] = ['stacks']

/**
 * Takes a snapshot, and another when it hangs or dies, which costs the service nothing. After one that was killed for
 * memory comes a cheaper one, and none after that.
 */
export async function tryAgain(
  kinds: readonly CaptureKind[],
  take: (attempt: number, kinds: readonly CaptureKind[]) => Promise<CaptureOutcome>,
): Promise<CaptureOutcome> {
  const lost: CaptureFailed[] = []
  let hadNoRoom = false
  for (let attempt = 1; ; attempt++) {
    const outcome = await take(attempt, hadNoRoom ? CHEAPER : kinds)
    if (outcome.kind === 'captured') return withLosses(outcome, lost)
    lost.push(outcome)
    if (hadNoRoom || attempt === MAX_ATTEMPTS || !WORTH_ANOTHER.has(outcome.reason)) return lost[0] ?? outcome
    hadNoRoom = outcome.reason === 'snapshot-oom-killed'
  }
}

/** A cheaper capture is truncated by what made it necessary, however well it went itself. */
function withLosses(captured: Captured, lost: readonly CaptureFailed[]): Captured {
  const told = { ...captured, lost: lost.map(({ reason, detail }) => ({ reason, detail })) }
  const oom = lost.find(({ reason }) => reason === 'snapshot-oom-killed')
  if (!oom) return told
  const detail = `${oom.detail}; another one told only the stacks`
  const problems = [...captured.census.problems, detail]
  return {
    ...told,
    truncated: { reason: 'snapshot-oom-killed', detail },
    census: { ...captured.census, complete: false, problems },
  }
}
