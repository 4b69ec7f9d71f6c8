import { levelsOf, type Rule, type WatchedProcess } from '../model.ts'

/** The rules that hold for a process, and the windows over which they measure growth. */
export type HeldRules = { readonly rules: readonly Rule[]; readonly windowsMs: readonly number[] }

/**
 * The rules of the config that hold for a process, with those that its pod has of its own in place of the plain ones of
 * the same kind. Everybody who asks what rules make of a process asks here. It is asked for every process at every look,
 * so the answer is kept: by target, or by the process where it has rules of its own.
 */
export const heldRules = (process: WatchedProcess, rules: readonly Rule[]): HeldRules => {
  if (process.rules === undefined) {
    const byTarget = targetsOf(rules)
    return byTarget.get(process.target) ?? keep(byTarget, process.target, allFor(process, rules))
  }
  const known = owners.get(process)
  if (known?.of === rules) return known.held
  const { own, instead } = process.rules
  const left = allFor(process, rules).filter(
    ({ when, action }) => action.kind !== 'capture' || !instead.includes(when.kind),
  )
  const held = describe([...left, ...own])
  owners.set(process, { of: rules, held })
  return held
}

/** The same without the windows. */
export const rulesFor = (process: WatchedProcess, rules: readonly Rule[]): readonly Rule[] =>
  heldRules(process, rules).rules

/** As long as nobody knows whose process it is, every rule may be its. */
export const heldByAnybody = (rules: readonly Rule[]): HeldRules => {
  const known = everybody.get(rules)
  if (known !== undefined) return known
  const held = describe(rules)
  everybody.set(rules, held)
  return held
}

const targets = new WeakMap<readonly Rule[], Map<string, HeldRules>>()
const everybody = new WeakMap<readonly Rule[], HeldRules>()
const owners = new WeakMap<WatchedProcess, { readonly of: readonly Rule[]; readonly held: HeldRules }>()

const targetsOf = (rules: readonly Rule[]): Map<string, HeldRules> => {
  const known = targets.get(rules)
  if (known !== undefined) return known
  const fresh = new Map<string, HeldRules>()
  targets.set(rules, fresh)
  return fresh
}

const keep = (byTarget: Map<string, HeldRules>, target: string, rules: readonly Rule[]): HeldRules => {
  const held = describe(rules)
  byTarget.set(target, held)
  return held
}

const allFor = ({ target }: WatchedProcess, rules: readonly Rule[]): readonly Rule[] =>
  rules.filter((rule) => rule.targets.includes('*') || rule.targets.includes(target))

const describe = (rules: readonly Rule[]): HeldRules => ({
  rules,
  windowsMs: [
    ...new Set(
      rules
        .flatMap(({ when }) => levelsOf(when))
        .flatMap((level) =>
          level.kind === 'growth' || level.kind === 'time-to-limit' ? [level.windowMs] : [],
        ),
    ),
  ],
})
