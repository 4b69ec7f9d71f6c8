import type { Collection, Collections } from '../model.ts'
import { formatCount, formatDuration } from './format.ts'

/** What the garbage collector did while it was listened to: a line for each generation. */
export function collectionLines(collections: Collections): readonly string[] {
  if (collections.kind === 'failed') return [`could not be listened to: ${collections.detail}`]
  const heard = collections.collections
  if (heard.length === 0) return [`none in ${formatDuration(collections.ms)}`]
  const generations = [...new Set(heard.map(({ generation }) => generation))].toSorted((a, b) => a - b)
  return generations.map((generation) =>
    tell(
      generation,
      heard.filter((collection) => collection.generation === generation),
      collections.ms,
    ),
  )
}

function tell(generation: number, heard: readonly Collection[], ms: number): string {
  const times = heard.map(({ microseconds }) => microseconds / 1000)
  const total = times.reduce((sum, time) => sum + time, 0)
  const found = heard.reduce((sum, { unreachable }) => sum + unreachable, 0)
  const freed = found === 0 ? 'nothing was unreachable' : `${formatCount(found)} objects were unreachable`
  return `generation ${generation}: ${formatCount(heard.length)} in ${formatDuration(ms)}, ${formatDuration(total)} in all, ${formatDuration(Math.max(...times))} the longest; ${freed}`
}
