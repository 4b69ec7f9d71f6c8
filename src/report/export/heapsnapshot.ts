import type { Dump, FoldedGraph, HeapGraph } from '../../model.ts'
import { visible } from '../visible.ts'

/** Fields of a node and of an edge, as Chrome's DevTools read them. */
const META = {
  node_fields: ['type', 'name', 'id', 'self_size', 'edge_count', 'detachedness'],
  node_types: [
    [
      'hidden',
      'array',
      'string',
      'object',
      'code',
      'closure',
      'regexp',
      'number',
      'native',
      'synthetic',
      'concatenated string',
      'sliced string',
      'symbol',
      'bigint',
      'object shape',
    ],
    'string',
    'number',
    'number',
    'number',
    'number',
  ],
  edge_fields: ['type', 'name_or_index', 'to_node'],
  edge_types: [
    ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'],
    'string_or_number',
    'node',
  ],
}
const OBJECT = 3
const SYNTHETIC = 9
const ELEMENT = 1
const PROPERTY = 2
const NODE_FIELDS = META.node_fields.length
/** Sizes and ids are 32 bits there. */
const MOST = 2 ** 32 - 1
const NAME_LENGTH = 200

/** How the loader is told of roots by what they are. */
const GROUPS: Readonly<Record<string, string>> = {
  module: '(module globals)',
  class: '(class attributes)',
  frame: '(local variables)',
  thread: '(threads)',
  task: '(asyncio tasks)',
  interpreter: '(interpreter)',
  unreachable: '(unreachable)',
}
const LOOSE = '(small objects that nobody keeps alone)'

/** The graph as a .heapsnapshot for the Memory panel of Chrome's DevTools and for memlab, piece by piece. */
export function* renderHeapsnapshot(dump: Dump, folded: FoldedGraph): Generator<string> {
  const strings = new Strings()
  const groups = groupRoots(folded)
  const nodeCount = 1 + groups.length + folded.objects.length - 1
  const edgeCount =
    groups.length + groups.reduce((sum, { edges }) => sum + edges.length, 0) + edgesOfNodes(folded)
  const snapshot = {
    meta: META,
    node_count: nodeCount,
    edge_count: edgeCount,
    trace_function_count: 0,
    title: `${dump.id}, Python ${dump.manifest.python_version ?? ''}, ${dump.manifest.started_at}`,
  }
  yield `{"snapshot":${JSON.stringify(snapshot)},\n"nodes":[`
  yield* joined(nodeRows(folded, groups, strings))
  yield '],\n"edges":['
  yield* joined(edgeRows(folded, groups, strings))
  yield '],\n"strings":['
  yield* joined(strings.all())
  yield ']}\n'
}

type Group = {
  readonly name: string
  readonly selfBytes: number
  readonly edges: readonly { readonly name: string; readonly node: number }[]
}

/** Groups of roots; the last has what is folded into no node. */
function groupRoots({ roots, first, to, looseBytes }: FoldedGraph): readonly Group[] {
  const groups = new Map<string, { name: string; node: number }[]>()
  for (const { kind, name, node } of roots) {
    const group = GROUPS[kind] ?? kind
    const edges = groups.get(group)
    if (edges) edges.push({ name, node })
    else groups.set(group, [{ name, node }])
  }
  const loose = [...to.subarray(first[0], first[1])].map((node) => ({ name: '(inside)', node }))
  return [
    ...[...groups].map(([name, edges]) => ({ name, selfBytes: 0, edges })),
    { name: LOOSE, selfBytes: looseBytes, edges: loose },
  ]
}

const edgesOfNodes = ({ first, to }: FoldedGraph): number => to.length - (first[1] ?? 0)

function* nodeRows(folded: FoldedGraph, groups: readonly Group[], strings: Strings): Generator<string> {
  const { graph, objects, selfBytes, first } = folded
  // Ids of synthetic nodes are even.
  yield nodeRow(strings.number(''), { type: SYNTHETIC, id: 2, size: 0, edges: groups.length })
  for (const [at, { name, selfBytes: size, edges }] of groups.entries())
    yield nodeRow(strings.number(name), { type: SYNTHETIC, id: 4 + 2 * at, size, edges: edges.length })
  const idOf = objectIds(graph)
  for (let node = 1; node < objects.length; node++) {
    const object = objects[node] ?? 0
    const type = graph.kinds[(graph.kindOf[object] ?? 0) - 1]?.type ?? '(gone)'
    yield nodeRow(strings.number(visible(type, NAME_LENGTH)), {
      type: OBJECT,
      id: idOf(object),
      size: selfBytes[node] ?? 0,
      edges: (first[node + 1] ?? 0) - (first[node] ?? 0),
    })
  }
}

type NodeRow = {
  readonly type: number
  readonly id: number
  readonly size: number
  readonly edges: number
}

const nodeRow = (name: number, { type, id, size, edges }: NodeRow): string =>
  `${type},${name},${id},${Math.min(MOST, Math.round(size))},${edges},0`

/** Programs and their heap lie below this, what is mapped lies above. */
const MAPPED_FROM = 0x7000_0000_0000
const GIB = 2 ** 30

/**
 * The same object has the same id in all dumps of its process, so that they can be compared: the heap grows up from its
 * begin, mappings grow down from theirs. Where they span more than 16 GiB, ids are mere numbers.
 */
function objectIds({ addresses, objects }: HeapGraph): (object: number) => number {
  const lowest = addresses[1] ?? 0
  const highest = addresses[objects] ?? 0
  const mapped = addresses.findIndex((address, at) => at > 0 && address >= MAPPED_FROM)
  const begin = Math.floor(lowest / GIB) * GIB
  const end = Math.ceil((highest + 1) / GIB) * GIB
  const heapSpan = (mapped === 1 ? begin : (addresses[(mapped < 0 ? objects + 1 : mapped) - 1] ?? 0)) - begin
  const mappedSpan = mapped < 0 ? 0 : end - (addresses[mapped] ?? 0)
  if (Math.max(heapSpan, mappedSpan) >= 16 * GIB) return (object) => object * 2 + 1
  return (object) => {
    const address = addresses[object] ?? 0
    return address < MAPPED_FROM ? (address - begin) / 4 + 3 : (end - address) / 4 + 1
  }
}

function* edgeRows(folded: FoldedGraph, groups: readonly Group[], strings: Strings): Generator<string> {
  const { objects, first, to, nameOf, names } = folded
  const position = (node: number): number => (groups.length + node) * NODE_FIELDS
  for (const at of groups.keys()) yield `${ELEMENT},${at + 1},${(at + 1) * NODE_FIELDS}`
  for (const { edges } of groups)
    for (const { name, node } of edges)
      yield `${PROPERTY},${strings.number(visible(name, NAME_LENGTH))},${position(node)}`
  for (let node = 1; node < objects.length; node++) {
    const begin = first[node] ?? 0
    const end = first[node + 1] ?? 0
    for (let at = begin; at < end; at++) {
      const name = names[nameOf[at] ?? 0] ?? ''
      const target = position(to[at] ?? 0)
      yield name === '[*]'
        ? `${ELEMENT},${at - begin},${target}`
        : `${PROPERTY},${strings.number(visible(name.replace(/^\./, '') || '__dict__', NAME_LENGTH))},${target}`
    }
  }
}

/** The table of strings, each once. */
class Strings {
  readonly #numbers = new Map<string, number>([['', 0]])

  number(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.#numbers.size)
    return this.#numbers.size - 1
  }

  *all(): Generator<string> {
    for (const text of this.#numbers.keys()) yield JSON.stringify(text)
  }
}

const ROWS_A_PIECE = 4096

function* joined(rows: Iterable<string>): Generator<string> {
  let piece: string[] = []
  let isFirst = true
  for (const row of rows) {
    piece.push(row)
    if (piece.length < ROWS_A_PIECE) continue
    yield (isFirst ? '' : ',\n') + piece.join(',\n')
    isFirst = false
    piece = []
  }
  if (piece.length > 0) yield (isFirst ? '' : ',\n') + piece.join(',\n')
}
