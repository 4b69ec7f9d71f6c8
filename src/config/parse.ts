import { checkMeaning } from './check-meaning.ts'
import type { CheckCron } from './check-rule.ts'
import { toConfig } from './config.ts'
import type { Config } from './config.ts'
import { explainIssue, inPlainWords } from './explain-issue.ts'
import type { Issue } from './explain-issue.ts'
import { fileProblem, problemAt } from './problem.ts'
import type { Problem } from './problem.ts'
import { readTree } from './read-tree.ts'
import { configSchema } from './schema.ts'
import { findKeyPlace, findPlace, mergeTrees, toValue } from './tree.ts'
import type { Tree } from './tree.ts'

/** The text of the main file or of a drop-in. */
export type ConfigFile = { readonly path: string; readonly text: string }

/** A config that can be run, or every mistake in its files. */
export type ParsedConfig =
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** The config of a main file and its drop-ins, in this order; later files are merged over earlier ones. */
export const parseConfig = (
  files: readonly ConfigFile[],
  deps: { readonly checkCron: CheckCron },
): ParsedConfig => {
  const read = files.map(({ path, text }) => readTree(path, text))
  const yamlProblems = read.flatMap(({ problems }) => problems)
  const trees = read.flatMap((result) => (result.kind === 'tree' ? [result.tree] : []))
  // What a file that cannot be read would have said is unknown, so nothing true can be said about the whole.
  if (trees.length < read.length) return { kind: 'invalid', problems: yamlProblems }
  const notMaps = trees.filter(({ kind }) => kind !== 'map')
  if (notMaps.length > 0) {
    const problems = notMaps.map((tree) => problemAt(tree.at, 'a config is a map of keys, like `store:`'))
    return { kind: 'invalid', problems: [...yamlProblems, ...problems] }
  }
  const [first, ...others] = trees
  if (first === undefined) return { kind: 'invalid', problems: [fileProblem('config', 'there is no file')] }
  const result = interpret(others.reduce(mergeTrees, first), yamlProblems, deps.checkCron)
  if (result.kind === 'config') return result
  return { kind: 'invalid', problems: inReadingOrder(result.problems, files) }
}

const interpret = (tree: Tree, yamlProblems: readonly Problem[], checkCron: CheckCron): ParsedConfig => {
  const file = toValue(tree)
  const parsed = configSchema.safeParse(file, { error: inPlainWords })
  const structure = parsed.error?.issues.flatMap((issue) => explainIssue(issue)) ?? []
  const issues = [...structure, ...checkMeaning(file, checkCron)]
  const problems = [...yamlProblems, ...issues.map((issue) => placed(tree, issue))]
  if (parsed.success && problems.length === 0) return { kind: 'config', config: toConfig(parsed.data) }
  return { kind: 'invalid', problems }
}

const placed = (tree: Tree, { at, path, message }: Issue): Problem =>
  problemAt(at === 'key' ? findKeyPlace(tree, path) : findPlace(tree, path), message)

const inReadingOrder = (problems: readonly Problem[], files: readonly ConfigFile[]): readonly Problem[] => {
  const order = new Map(files.map(({ path }, index) => [path, index]))
  const rank = ({ path }: Problem): number => order.get(path) ?? 0
  return problems.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column)
}
