import { createContext, Script, type Context } from 'node:vm'
import type { Container, PythonProcess, Target, TargetMatch } from '../model.ts'
import { matchesGlob } from './glob.ts'

/** Names the target of a process: the first whose keys all match it; undefined when nobody asked for it. */
export type NameTarget = (process: PythonProcess) => string | undefined

/** Prepares the targets of the config. A `cmdline` that is not a regular expression matches nothing. */
export const compileTargets = (targets: readonly Target[]): NameTarget => {
  const compiled = targets.map(({ name, match }) => ({ name, match, cmdline: compileCmdline(match.cmdline) }))
  return (process) =>
    compiled.find(({ match, cmdline }) => isMatch(match, process) && cmdline(process.cmdline))?.name
}

// The pattern is the owner's, the subject is anybody's, and some patterns take for ever on some subjects.
const MAX_SUBJECT_LENGTH = 4096
const MATCH_LIMIT_MS = 50

const isMatch = (match: TargetMatch, process: PythonProcess): boolean =>
  (match.exe === undefined || matchesGlob(match.exe, process.exe)) &&
  (match.user === undefined || match.user === process.user || match.user === String(process.uid)) &&
  (match.unit === undefined || (process.unit !== undefined && matchesGlob(match.unit, process.unit))) &&
  (match.cgroup === undefined || matchesGlob(match.cgroup, process.cgroup)) &&
  isContainer(match, process.container)

const isContainer = (match: TargetMatch, container: Container | undefined): boolean =>
  (match.container === undefined || isCalled(match.container, container)) &&
  (match.runtime === undefined || match.runtime === container?.runtime) &&
  isLike(match.image, container?.image) &&
  isLike(match.pod, container?.pod) &&
  isLike(match.namespace, container?.namespace) &&
  (match.labels === undefined || hasLabels(match.labels, container?.labels ?? {}))

const isLike = (glob: string | undefined, text: string | undefined): boolean =>
  glob === undefined || (text !== undefined && matchesGlob(glob, text))

// Of a whole system in a container the id is its name, and the beginning of a name is another's.
const isCalled = (wanted: string, container: Container | undefined): boolean => {
  if (container === undefined) return false
  const { id, name = id } = container
  return (id.length === ID_DIGITS && id.startsWith(wanted)) || matchesGlob(wanted, name)
}

const ID_DIGITS = 64

const hasLabels = (
  wanted: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean =>
  Object.entries(wanted).every(([key, glob]) => Object.hasOwn(labels, key) && isLike(glob, labels[key]))

const compileCmdline = (source: string | undefined): ((cmdline: readonly string[]) => boolean) => {
  if (source === undefined) return () => true
  const pattern = parsePattern(source)
  if (pattern === undefined) return () => false
  return (cmdline) => testWithin(pattern, cmdline.join(' ').slice(0, MAX_SUBJECT_LENGTH))
}

const parsePattern = (source: string): RegExp | undefined => {
  try {
    return new RegExp(source)
  } catch {
    return undefined
  }
}

const script = new Script('pattern.test(subject)')
let context: Context | undefined

// Only a script of its own can be stopped in the middle of a match.
const testWithin = (pattern: RegExp, subject: string): boolean => {
  context ??= createContext({})
  try {
    Object.assign(context, { pattern, subject })
    return script.runInContext(context, { timeout: MATCH_LIMIT_MS }) === true
  } catch {
    // Took too long: not shown to match.
    return false
  }
}
