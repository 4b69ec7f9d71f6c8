import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** What `look` sees as soon as it sees anything; what `explain` says where it never does. */
export async function becomes<T>(
  look: () => T | undefined | Promise<T | undefined>,
  withinMs: number,
  explain: () => string = () => '',
): Promise<T> {
  const end = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    assert.ok(performance.now() < end, `it never came to that\n${explain()}`)
    await sleep(200)
  }
}
