/** More hints than this are a flood, which looks at processes all the time and helps nobody. */
const MAX_PER_SECOND = 50
const WINDOW_MS = 10_000

/** Counts hints; says when there have been more than 50 a second for 10 s. */
export function createHintLimit(): (nowMs: number) => 'fine' | 'flood' {
  let windowStartMs = Number.NEGATIVE_INFINITY
  let count = 0
  return (nowMs) => {
    if (nowMs - windowStartMs >= WINDOW_MS) {
      windowStartMs = nowMs
      count = 0
    }
    count++
    return count > (MAX_PER_SECOND * WINDOW_MS) / 1000 ? 'flood' : 'fine'
  }
}
