import { execaSync } from 'execa'
import type { InstalledPython } from '../setup/interpreters.ts'
import type { Method } from './attempt.ts'
import { CASES, type Case } from './cases.ts'
import { seeded, shuffled } from './random.ts'
import type { Job } from './session.ts'

/** Captures of one target in a row. */
const MOST_AT_ONCE = 20

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
  const pairs = chosen(states).flatMap((one) =>
    pythons.filter((python) => canRun(one, python)).map((python) => ({ case: one, python })),
  )
  const each = Math.max(1, Math.ceil(captures / Math.max(1, pairs.length)))
  return finish(pairs, each, { method, seed })
}

/** The same for a short run: every case once, with one interpreter after the other. */
export function planSlice({ captures, pythons, states, method, seed }: Wanted): Job[] {
  const pairs = chosen(states).flatMap((one, number) => {
    const able = one.needs === undefined ? pythons : pythons.filter((each) => canRun(one, each))
    const python = able[(number + seed) % able.length]
    return python ? [{ case: one, python }] : []
  })
  return finish(pairs, Math.max(1, Math.ceil(captures / Math.max(1, pairs.length))), { method, seed })
}

/** Cases that no interpreter here can run, with what is missing. */
export const missing = (pythons: readonly InstalledPython[]): string[] =>
  CASES.filter((one) => !pythons.some((python) => canRun(one, python))).map(
    ({ name, needs = '' }) => `${name}: no interpreter has the package ${needs}`,
  )

function canRun({ needs }: Case, { path }: InstalledPython): boolean {
  return needs === undefined || execaSync(path, ['-c', `import ${needs}`], { reject: false }).exitCode === 0
}

const chosen = (states: readonly string[]): readonly Case[] =>
  CASES.filter(({ name, state }) => states.length === 0 || states.includes(name) || states.includes(state))

function finish(
  pairs: readonly { readonly case: Case; readonly python: InstalledPython }[],
  captures: number,
  { method, seed }: Pick<Wanted, 'method' | 'seed'>,
): Job[] {
  const random = seeded(seed)
  const pieces = pairs.flatMap((pair) => split(captures).map((part) => ({ pair, part })))
  return shuffled(pieces, random).map(({ pair, part }) => ({
    case: pair.case,
    python: pair.python.path,
    captures: part,
    seed: Math.floor(random() * 2 ** 32),
    method,
  }))
}

/** Parts of at most MOST_AT_ONCE that add up to the whole. */
const split = (captures: number): number[] =>
  Array.from({ length: Math.ceil(captures / MOST_AT_ONCE) }, (_, part) =>
    Math.min(MOST_AT_ONCE, captures - part * MOST_AT_ONCE),
  )
