import type { InstalledPython } from '../setup/interpreters.ts'
import type { Method } from './attempt.ts'
import { CASES, type Case } from './cases.ts'
import { seeded, shuffled } from './random.ts'
import type { Job } from './session.ts'

export type Wanted = {
  readonly captures: number
  readonly pythons: readonly InstalledPython[]
  /** Names of cases or states; all when empty. */
  readonly states: readonly string[]
  readonly method: Method
  readonly seed: number
}

/** At least so many captures, spread over every case with every interpreter, in an order that the seed decides. */
export function plan({ captures, pythons, states, method, seed }: Wanted): Job[] {
  const pairs = chosen(states).flatMap((one) => pythons.map((python) => ({ case: one, python })))
  const each = Math.max(1, Math.ceil(captures / Math.max(1, pairs.length)))
  return finish(pairs, each, { method, seed })
}

/** The same for a short run: every case once, with one interpreter after the other. */
export function planSlice({ captures, pythons, states, method, seed }: Wanted): Job[] {
  const pairs = chosen(states).flatMap((one, number) => {
    const python = pythons[(number + seed) % pythons.length]
    return python ? [{ case: one, python }] : []
  })
  return finish(pairs, Math.max(1, Math.ceil(captures / Math.max(1, pairs.length))), { method, seed })
}

const chosen = (states: readonly string[]): readonly Case[] =>
  CASES.filter(({ name, state }) => states.length === 0 || states.includes(name) || states.includes(state))

function finish(
  pairs: readonly { readonly case: Case; readonly python: InstalledPython }[],
  captures: number,
  { method, seed }: Pick<Wanted, 'method' | 'seed'>,
): Job[] {
  const random = seeded(seed)
  return shuffled(pairs, random).map((pair) => ({
    case: pair.case,
    python: pair.python.path,
    captures,
    seed: Math.floor(random() * 2 ** 32),
    method,
  }))
}
