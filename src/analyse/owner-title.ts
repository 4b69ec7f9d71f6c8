import type { GcState, Owner, TypeRow } from '../model.ts'
import type { OwnerGrowth } from './compare.ts'
import { countWords, numberOf, shortName, sizeWords, typeWords } from './words.ts'

/** One line that names an owner: `module shop.broker: POOL._dirty (set, 1,200 entries of Connection) keeps 150 MiB, mostly array.array`. */
export function titleOwner(growth: OwnerGrowth, gc: GcState): string {
  const { owner } = growth
  const keeps = `keeps ${sizeWords(owner.bytes)}${mostly(growth)}`
  if (owner.kind === 'unreachable') return titleUnreachable(owner, gc)
  if (owner.kind === 'task' && owner.entries !== undefined) return titleTasks(growth, owner.entries)
  const cache = readCacheNote(owner)
  if (cache !== undefined) {
    const name = shortName(`${owner.scope}.${owner.path}`.replace(/^__main__\./, ''))
    const size = `${numberOf(cache.entries, 'entry', 'entries')}, maxsize ${cache.maxsize}`
    return `lru_cache of ${name}: ${size}, ${keeps}`
  }
  return `${nameOwner(owner)} (${contents(owner)}) ${keeps}`
}

/** Where an owner is found, in words: `class attribute shop.Model.registry`. */
export function nameOwner(owner: Pick<Owner, 'kind' | 'scope' | 'path' | 'alike'>): string {
  const scope = shortName(owner.scope)
  const path = shortName(owner.path)
  switch (owner.kind) {
    case 'module':
      return owner.alike === undefined
        ? `module ${scope}: ${path}`
        : `${countWords(owner.alike)} modules ${scope}: ${path}`
    case 'class':
      return `class attribute ${scope}.${path}`
    case 'frame':
      return nameLocal(owner)
    case 'thread':
      return `${scope.startsWith('thread') ? '' : 'thread '}${scope}: ${path}`
    case 'task':
      return `${scope} task ${path}`
    case 'interpreter':
      return `${scope === 'interpreter' ? '' : 'interpreter '}${scope}: ${path}`
    case 'unreachable':
      return `unreachable ${path}`
    default:
      return owner.kind satisfies never
  }
}

function nameLocal({ scope, path, alike }: Pick<Owner, 'scope' | 'path' | 'alike'>): string {
  const [, inside, where] = /^threads: (\S{1,300}) (\(.{1,300}\))$/s.exec(scope) ?? []
  if (alike !== undefined && inside !== undefined && where !== undefined)
    return `local variable ${shortName(path)} of ${shortName(inside)} in ${countWords(alike)} threads ${shortName(where)}`
  const [, thread, called, place] = /^thread (.{1,300}): (\S{1,300}) \((.{1,300})\)$/s.exec(scope) ?? []
  const variable = shortName(path)
  if (thread === undefined || called === undefined || place === undefined) {
    return `local variable ${variable} in ${shortName(scope)}`
  }
  return `local variable ${variable} of ${shortName(called)} in thread ${shortName(thread, 60)} (${shortName(place)})`
}

const titleTasks = (growth: OwnerGrowth, tasks: number): string =>
  `${numberOf(tasks, 'pending task keeps', 'pending tasks keep')} ${sizeWords(growth.owner.bytes)}${mostly(growth)}: ` +
  `asyncio ${shortName(growth.owner.path)}`

/** Whether unreachable objects keep one another; others may be held by native code, and then they are no garbage. */
export const isCyclic = ({ kind, scope }: Owner): boolean =>
  kind === 'unreachable' && /\bcycles?\b/.test(scope)

function titleUnreachable(owner: Owner, gc: GcState): string {
  const what = `${shortName(owner.path)}: ${numberOf(owner.objects, 'object', 'objects')}, ${sizeWords(owner.bytes)}`
  if (!isCyclic(owner)) return `unreachable objects ${what}, which no root leads to`
  return `unreachable cycles ${what}; automatic gc is ${gc.enabled ? 'enabled and has not run yet' : 'DISABLED'}`
}

function contents(owner: Owner): string {
  const type = typeWords(owner.type)
  if (owner.entries === undefined) return type
  const entries = numberOf(owner.entries, 'entry', 'entries')
  const of = owner.entryTypes.slice(0, 2).map((row) => typeWords(row.type))
  return `${type}, ${entries}${of.length === 0 ? '' : ` of ${of.join(' and ')}`}`
}

function mostly({ owner, types }: OwnerGrowth): string {
  const [first, second] = types.length === 0 ? owner.types : types
  if (first === undefined) return ''
  const total = (types.length === 0 ? owner.types : types).reduce((sum, { bytes }) => sum + bytes, 0)
  if (first.bytes >= total / 2 || second === undefined) {
    return first.type === owner.type ? '' : `, mostly ${typeWords(first.type)}`
  }
  return `, mainly ${typeWords(first.type)} and ${typeWords(second.type)}`
}

type CacheNote = { readonly maxsize: string; readonly entries: number; readonly hits: number | undefined }

/** What a note says about an owner that is a functools.lru_cache. */
export function readCacheNote({ notes }: Owner): CacheNote | undefined {
  for (const note of notes) {
    const [, maxsize, size, hits] = /^lru_cache maxsize=(\w+) currsize=(\d+)(?: hits=(\d+))?/.exec(note) ?? []
    if (maxsize === undefined) continue
    return { maxsize, entries: Number(size), hits: hits === undefined ? undefined : Number(hits) }
  }
  return undefined
}

/** Whether a cache or a queue has a bound and has reached it, or nearly: what is full does not grow. */
export function isFull(owner: Owner): boolean {
  const cache = readCacheNote(owner)
  if (cache !== undefined) return cache.entries >= Number(cache.maxsize) * FULL
  return owner.notes.some((note) => {
    const bound = /^(?:deque maxlen|bounded: \w{1,60})=(\d+)$/.exec(note)?.[1]
    return bound !== undefined && (owner.entries ?? 0) >= Number(bound) * FULL
  })
}

/** Caches that make room before they need it are never quite full, and what is left to fill is no leak. */
const FULL = 0.9

/** `+1,098 Connection, +1,098 array.array`: the types that make up at least a twentieth of the growth. */
export const grownTypeNames = (types: readonly TypeRow[], grownBytes: number): string =>
  types
    .filter(({ bytes }, index) => index === 0 || bytes * 20 >= grownBytes)
    .slice(0, 3)
    .map(({ type, count }) => `${count < 0 ? '' : '+'}${countWords(count)} ${typeWords(type)}`)
    .join(', ')
