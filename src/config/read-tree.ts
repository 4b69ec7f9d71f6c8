import { isAlias, isMap, isScalar, isSeq, Lexer, parseDocument, Parser } from 'yaml'
import type { Document, Node, YAMLMap } from 'yaml'
import { createSource, fileProblem, problemAt } from './problem.ts'
import type { Place, Problem, Source } from './problem.ts'
import type { Entry, Tree } from './tree.ts'
import { quoted } from './words.ts'

/** One YAML file as a tree with the mistakes that leave the rest readable, or why it cannot be read. */
export type ReadTree =
  | { readonly kind: 'tree'; readonly tree: Tree; readonly problems: readonly Problem[] }
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] }

/** The largest file that is taken. */
export const LARGEST_FILE_BYTES = 1024 * 1024

const MOST_MISTAKES = 100
const MOST_LEXEMES = 100_000
const DEEPEST_PARSER_STACK = 64
// What aliases stand for counts each time, so a file that unfolds to gigabytes ends here.
const MOST_NODES = 10_000
const DEEPEST_NODE = 32

/** Reads YAML that anybody may have written: the work is bounded, and every mistake has a place. */
export const readTree = (path: string, text: string): ReadTree => {
  if (Buffer.byteLength(text) > LARGEST_FILE_BYTES) {
    return { kind: 'unreadable', problems: [fileProblem(path, 'is larger than 1 MiB')] }
  }
  const source = createSource(path, text)
  const excess = findExcess(source)
  if (excess !== undefined) return { kind: 'unreadable', problems: [excess] }
  const document = parseDocument(text, {
    prettyErrors: false,
    // A %YAML 1.1 line must not turn `on` and `off` into booleans.
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    // The library compares every key with every other; the walk below finds the same and names the first one.
    uniqueKeys: false,
  })
  const mistakes = [...document.errors, ...document.warnings]
    .slice(0, MOST_MISTAKES)
    .map((error) => problemAt({ source, offset: error.pos[0] }, inPlainWords(error.code, error.message)))
  if (mistakes.length > 0) return { kind: 'unreadable', problems: mistakes }
  return walkDocument(document, source)
}

// The library's composer calls itself for every level, and a megabyte of `[` kills the whole program with it. Its lexer
// and parser do not, so they count first.
const findExcess = (source: Source): Problem | undefined => {
  const parser = new Parser()
  let lexemes = 0
  for (const lexeme of new Lexer().lex(source.text)) {
    lexemes += 1
    // Nobody wants the tokens here, but only asking for them moves the parser on.
    Array.from(parser.next(lexeme))
    const here = { source, offset: parser.offset }
    if (parser.stack.length > DEEPEST_PARSER_STACK) return problemAt(here, 'is nested too deeply')
    if (lexemes > MOST_LEXEMES) return problemAt(here, 'the file is too long for a config')
  }
  return undefined
}

const inPlainWords = (code: string, message: string): string => {
  if (code === 'MULTIPLE_DOCS')
    return 'a config is one YAML document: remove this and what follows, or the `---`'
  if (code === 'BAD_ALIAS') return 'a value that begins with * needs quotes: write "*"'
  if (code === 'TAB_AS_INDENT') return 'YAML is indented with spaces, and this is a tab'
  return `is not valid YAML: ${message}`
}

type Walk = {
  readonly source: Source
  readonly anchors: Map<string, Node>
  readonly problems: Problem[]
  nodesLeft: number
}

const walkDocument = (document: Document.Parsed, source: Source): ReadTree => {
  const walk: Walk = { source, anchors: new Map(), problems: [], nodesLeft: MOST_NODES }
  const start: Place = { source, offset: 0 }
  // A file of comments only is a config without keys.
  if (document.contents === null || isEmpty(document.contents)) {
    return { kind: 'tree', tree: { kind: 'map', at: start, entries: new Map() }, problems: [] }
  }
  const tree = walkNode(walk, document.contents, start, 0)
  if (tree === undefined) return { kind: 'unreadable', problems: walk.problems }
  return { kind: 'tree', tree, problems: walk.problems }
}

const isEmpty = (node: Node): boolean => isScalar(node) && node.value === null && (node.source ?? '') === ''

// Undefined means that the file had to be given up; why is then in `problems`.
const walkNode = (walk: Walk, node: Node, parent: Place, depth: number): Tree | undefined => {
  const offset = node.range?.[0]
  const at: Place = offset === undefined || isEmpty(node) ? parent : { source: walk.source, offset }
  walk.nodesLeft -= 1
  if (walk.nodesLeft < 0)
    return giveUp(walk, at, 'the file is too long for a config, with its aliases written out')
  if (depth > DEEPEST_NODE) return giveUp(walk, at, 'is nested too deeply')
  if (isAlias(node)) {
    const anchored = walk.anchors.get(node.source)
    if (anchored !== undefined) return walkNode(walk, anchored, at, depth + 1)
    return giveUp(
      walk,
      at,
      `there is no anchor &${node.source} above; if *${node.source} is meant, write it in quotes`,
    )
  }
  if ('anchor' in node && node.anchor !== undefined) walk.anchors.set(node.anchor, node)
  if (isMap(node)) return walkMap(walk, node, at, depth)
  if (!isSeq(node)) return { kind: 'scalar', at, value: isScalar(node) ? node.value : undefined }
  const items: Tree[] = []
  for (const item of node.items) {
    const tree = walkNode(walk, item as Node, at, depth + 1)
    if (tree === undefined) return undefined
    items.push(tree)
  }
  return { kind: 'list', at, items }
}

const walkMap = (walk: Walk, node: YAMLMap, at: Place, depth: number): Tree | undefined => {
  const entries = new Map<string, Entry>()
  for (const pair of node.items) {
    const key = pair.key as Node
    const keyAt: Place = { source: walk.source, offset: key.range?.[0] ?? at.offset }
    if (!isScalar(key)) return giveUp(walk, keyAt, 'a key must be a plain word')
    const name = String(key.value)
    const value = pair.value === null ? nothing(keyAt) : walkNode(walk, pair.value as Node, keyAt, depth + 1)
    if (value === undefined) return undefined
    const before = entries.get(name)
    if (before === undefined) entries.set(name, { keyAt, value })
    else walk.problems.push(problemAt(keyAt, `${quoted(name)} is given twice, first ${lineOf(before.keyAt)}`))
  }
  return { kind: 'map', at, entries }
}

const nothing = (at: Place): Tree => ({ kind: 'scalar', at, value: null })

const lineOf = ({ source, offset }: Place): string => `on line ${source.lines.linePos(offset).line}`

const giveUp = (walk: Walk, at: Place, message: string): undefined => {
  walk.problems.push(problemAt(at, message))
  return undefined
}
