import type { GraphLabel, HeapGraph } from '../../model.ts'
import { typeOf } from './type-of.ts'

/** How objects are reached, each by one of its shortest ways. */
export type Ways = {
  /** The object from which an object is reached first; 0 for a root. */
  readonly from: Uint32Array
  /** The label that an object is a start of, by its place + 1; 0 for none. */
  readonly labelOf: Uint32Array
}

/**
 * The roots: the starts of the labels that no other leads to, then of those that no reference leads to from there, as
 * native code may keep what it does not tell.
 */
export function findRoots(graph: HeapGraph): readonly number[] {
  const { objects, labels } = graph
  const roots = labels
    .filter(({ isTop }) => isTop)
    .toSorted((a, b) => tellingRank(a) - tellingRank(b))
    .flatMap(({ starts }) => starts)
  const met = new Uint8Array(objects + 1)
  spread(graph, roots, met)
  const more = labels
    .filter(({ isTop }) => !isTop)
    .flatMap(({ starts }) => starts)
    .filter((start) => {
      const isNew = met[start] !== 1
      if (isNew) spread(graph, [start], met)
      return isNew
    })
  return [...roots, ...more]
}

/** Of two ways that are equally short, the one by an application's own name tells more. */
const tellingRank = ({ kind, path }: GraphLabel): number =>
  kind === 'interpreter' ? 2 : path.startsWith('(') ? 1 : 0

/** Marks all that the starts lead to, level by level, and calls with each new object and the one it was met from. */
function spread(
  { first, references }: HeapGraph,
  starts: readonly number[],
  met: Uint8Array,
  tell?: (object: number, from: number) => void,
): void {
  let level = starts.filter((start) => met[start] !== 1)
  for (const start of level) met[start] = 1
  while (level.length > 0) {
    const below: number[] = []
    for (const object of level) {
      const end = first[object + 1] ?? 0
      for (let at = first[object] ?? 0; at < end; at++) {
        const to = references[at] ?? 0
        if (met[to] === 1) continue
        met[to] = 1
        tell?.(to, object)
        below.push(to)
      }
    }
    level = below
  }
}

/** A shortest way to every object from the roots. */
export function findWays(graph: HeapGraph, roots: readonly number[]): Ways {
  const from = new Uint32Array(graph.objects + 1)
  spread(graph, [...new Set(roots)], new Uint8Array(graph.objects + 1), (object, before) => {
    from[object] = before
  })
  const labelOf = new Uint32Array(graph.objects + 1)
  graph.labels.forEach(({ starts }, at) => {
    for (const start of starts) labelOf[start] = at + 1
  })
  return { from, labelOf }
}

/** The label that an object's way begins with, and the objects from its start on; none where the way has no name. */
export function traceBack(
  graph: HeapGraph,
  { from, labelOf }: Ways,
  object: number,
): { readonly label: GraphLabel | undefined; readonly objects: readonly number[] } {
  const objects = [object]
  let at = object
  while (labelOf[at] === 0 && from[at] !== 0) {
    at = from[at] ?? 0
    objects.push(at)
  }
  return { label: graph.labels[(labelOf[at] ?? 0) - 1], objects: objects.toReversed() }
}

const MOST_STEPS = 12

/** The steps along a way, as a reader of the code would write them: `.history[*]`. Long ways are shortened. */
export function nameSteps(graph: HeapGraph, objects: readonly number[]): string {
  const steps = objects.slice(1).map((to, at) => nameStep(graph, objects[at - 1], objects[at] ?? 0, to))
  const told = repeatless(steps.filter((step) => step !== ''))
  if (told.length <= MOST_STEPS) return told.join('')
  const head = told.slice(0, (MOST_STEPS * 2) / 3)
  const tail = told.slice(-MOST_STEPS / 3)
  return [...head, ` … ${told.length - MOST_STEPS} steps … `, ...tail].join('')
}

function nameStep(graph: HeapGraph, before: number | undefined, from: number, to: number): string {
  const begin = graph.first[from] ?? 0
  const at = graph.references.subarray(begin, graph.first[from + 1] ?? 0).indexOf(to)
  const isAttributes = before !== undefined && graph.names.places.has(graph.kindOf[before] ?? 0)
  return nameReference(graph, from, { at, isAttributes })
}

type Reference = {
  /** Which of an object's references. */
  readonly at: number
  /** Whether the object is a dict of attributes, if it is a dict. */
  readonly isAttributes: boolean
}

/** What a reference is called: `.history`, `[*]`, `[key]`; nothing for that of an instance to its own dict. */
export function nameReference(graph: HeapGraph, from: number, reference: Reference): string {
  const kind = graph.kindOf[from] ?? 0
  const number = (graph.first[from] ?? 0) + reference.at
  if (graph.kinds[kind - 1]?.walks === 'dict') return nameEntry(graph, number, reference)
  const to = graph.references[number] ?? 0
  const places = graph.names.places.get(kind)
  if (places === undefined) return namePlain(graph, from, to)
  // An instance leads to its dict, which is no step of its own.
  if (holdsAttributes(graph, to)) return ''
  const count = (graph.first[from + 1] ?? 0) - (graph.first[from] ?? 0)
  const name = places.length === count ? places[reference.at] : undefined
  return name === undefined || name === '' ? namePlain(graph, from, to) : `.${name}`
}

const namePlain = (graph: HeapGraph, from: number, to: number): string =>
  CONTAINERS.has(typeOf(graph, from)) ? '[*]' : `.<${shortType(typeOf(graph, to))}>`

function nameEntry(
  { references, names }: HeapGraph,
  number: number,
  { at, isAttributes }: Reference,
): string {
  if (at % 2 === 0) return '[key]'
  const name = isAttributes ? names.keys.get(references[number - 1] ?? 0) : undefined
  return name === undefined ? '[*]' : `.${name}`
}

/** Whether it is a dict whose first key is an attribute's name. */
export const holdsAttributes = (
  { kinds, kindOf, names, first, references }: HeapGraph,
  object: number,
): boolean =>
  kinds[(kindOf[object] ?? 0) - 1]?.walks === 'dict' &&
  names.keys.has(references[first[object] ?? 0] ?? 0) &&
  (first[object + 1] ?? 0) > (first[object] ?? 0)

const CONTAINERS: ReadonlySet<string> = new Set(['list', 'tuple', 'set', 'frozenset', 'collections.deque'])

const shortType = (type: string): string => type.slice(type.lastIndexOf('.') + 1)

/** Links of a chain, one behind the other, are told once, with how many they are. */
function repeatless(steps: readonly string[]): readonly string[] {
  const told: string[] = []
  for (let at = 0; at < steps.length;) {
    const length = [1, 2, 3].find((each) => repeats(steps, at, each) > 2) ?? 0
    const times = length === 0 ? 0 : repeats(steps, at, length)
    if (times > 0) told.push(`${steps.slice(at, at + length).join('')} ×${times.toLocaleString('en')} `)
    else told.push(steps[at] ?? '')
    at += times > 0 ? times * length : 1
  }
  return told
}

/** How often the next `length` steps come one behind the other. */
function repeats(steps: readonly string[], at: number, length: number): number {
  let times = 1
  while (
    at + (times + 1) * length <= steps.length &&
    steps.slice(at, at + length).every((step, n) => step === steps[at + times * length + n])
  )
    times++
  return times
}
