import type { Place } from './problem.ts'

/** YAML as plain data that remembers where each piece stands, across files. */
export type Tree =
  | { readonly kind: 'map'; readonly at: Place; readonly entries: ReadonlyMap<string, Entry> }
  | { readonly kind: 'list'; readonly at: Place; readonly items: readonly Tree[] }
  | { readonly kind: 'scalar'; readonly at: Place; readonly value: unknown }

/** A key of a map and what it holds. */
export type Entry = { readonly keyAt: Place; readonly value: Tree }

/** The way down from the root: keys and list positions. */
export type Path = readonly PropertyKey[]

/** The data alone. */
export const toValue = (tree: Tree): unknown => {
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(toValue)
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, toValue(entry.value)]))
}

/** The place of what a path leads to, or of the last thing that is there on the way. */
export const findPlace = (tree: Tree, path: Path): Place => {
  const [step, ...rest] = path
  if (step === undefined) return tree.at
  const child = tree.kind === 'list' ? tree.items[Number(step)] : childOf(tree, step)?.value
  return child === undefined ? tree.at : findPlace(child, rest)
}

/** The place of the key that a path ends in, or of the last thing that is there on the way. */
export const findKeyPlace = (tree: Tree, path: Path): Place => {
  const [step, ...rest] = path
  if (step === undefined) return tree.at
  if (rest.length === 0) return childOf(tree, step)?.keyAt ?? findPlace(tree, path)
  const child = tree.kind === 'list' ? tree.items[Number(step)] : childOf(tree, step)?.value
  return child === undefined ? tree.at : findKeyPlace(child, rest)
}

/** Two files as one: maps are merged to the bottom, lists of named things by name, of the rest the later one counts. */
export const mergeTrees = (earlier: Tree, later: Tree): Tree => {
  if (earlier.kind === 'map' && later.kind === 'map') {
    const entries = new Map(earlier.entries)
    for (const [key, entry] of later.entries) {
      const before = entries.get(key)
      entries.set(
        key,
        before === undefined ? entry : { keyAt: entry.keyAt, value: mergeTrees(before.value, entry.value) },
      )
    }
    return { ...earlier, entries }
  }
  if (isListOfMaps(earlier) && isListOfMaps(later)) return { ...later, items: mergeByName(earlier, later) }
  return later
}

type List = Extract<Tree, { kind: 'list' }>

const childOf = (tree: Tree, step: PropertyKey): Entry | undefined =>
  tree.kind === 'map' ? tree.entries.get(String(step)) : undefined

const isListOfMaps = (tree: Tree): tree is List =>
  tree.kind === 'list' && tree.items.every((item) => item.kind === 'map')

// Only the first of equal names replaces, so that a name given twice in one file is still seen to be there twice.
const mergeByName = (earlier: List, later: List): readonly Tree[] => {
  const replacements = new Map<unknown, Tree>()
  for (const item of later.items) {
    const name = nameOf(item)
    if (name !== undefined && !replacements.has(name)) replacements.set(name, item)
  }
  const used = new Set<Tree>()
  const merged = earlier.items.map((item) => {
    const replacement = replacements.get(nameOf(item))
    if (replacement === undefined || used.has(replacement)) return item
    used.add(replacement)
    return replacement
  })
  return [...merged, ...later.items.filter((item) => !used.has(item))]
}

const nameOf = (item: Tree): unknown => {
  const name = childOf(item, 'name')?.value
  return name?.kind === 'scalar' ? name.value : undefined
}
