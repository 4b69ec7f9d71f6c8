import type { HeapGraph } from '../../model.ts'
import { visible } from '../visible.ts'

/**
 * The graph as lines of JSON that meliae's loader reads, an object a line. Values are not in a graph, so there are none
 * here; types have their modules, which meliae's own dumps leave out.
 */
export function* renderMeliae(graph: HeapGraph): Generator<string> {
  const { objects, kinds, kindOf, sizes, addresses, first, references } = graph
  const types = kinds.map(({ type }) => visible(type, 200).replaceAll(/["\\]/g, '?'))
  for (let object = 1; object <= objects; object++) {
    const type = types[(kindOf[object] ?? 0) - 1]
    if (type === undefined) continue
    const refs: number[] = []
    for (let at = first[object] ?? 0; at < (first[object + 1] ?? 0); at++) {
      const to = references[at] ?? 0
      if (to !== object) refs.push(addresses[to] ?? 0)
    }
    yield `{"address": ${addresses[object]}, "type": "${type}", "size": ${sizes[object]}, "refs": [${refs.join(', ')}]}\n`
  }
}
