import type { z } from 'zod'
import type { Target } from '../model.ts'
import { checkRule } from './check-rule.ts'
import type { CheckCron } from './check-rule.ts'
import { defaultConfig, takesEverything } from './config.ts'
import { kubernetesSchema } from './kubernetes-section.ts'
import { captureSchema } from './capture-section.ts'
import type { Issue } from './explain-issue.ts'
import { configSchema, MOST_ENTRIES, ruleSchema, samplingSchema, targetSchema } from './schema.ts'
import type { Path } from './tree.ts'
import { didYouMean, quoted } from './words.ts'

const MOST_SUGGESTIONS = 50

/**
 * What the structure cannot say: names that lead nowhere, rules that can never fire. Looks at every part that is well
 * formed, so that a mistake in one part does not hide those in the others.
 */
export const checkMeaning = (file: unknown, checkCron: CheckCron): readonly Issue[] => {
  const sections: Sections = isRecord(file) ? file : {}
  const rawTargets = sections['targets'] ?? defaultConfig.targets
  const targets = wellFormed('targets', sections['targets'], targetSchema)
  const sampling = samplingSchema.safeParse(sections['sampling'] ?? {}).data
  const check = ({ value, path }: Found<FileRule>) => checkRule(value, path, sampling, checkCron)
  return [
    ...repeatedNames('targets', sections['targets']),
    ...repeatedNames('rules', sections['rules']),
    ...targets.flatMap((target, index) => checkTarget(target, targets.slice(0, index))),
    ...wellFormed('rules', sections['rules'], ruleSchema).flatMap(check),
    ...(sections['rules'] === undefined ? defaultRules.flatMap(check).map(ofDefaultRule) : []),
    ...unknownTargets(sections['rules'], firstOf(rawTargets).flatMap(nameOf)),
    ...checkCapture(sections['capture'] ?? {}),
    ...checkKubernetes(sections['kubernetes'] ?? {}),
  ]
}

const defaultRules: readonly Found<FileRule>[] = configSchema
  .parse({})
  .rules.map((value) => ({ value, path: [] }))

// The file does not hold these rules, so only what it says about sampling can be at odds with them.
const ofDefaultRule = ({ message }: Issue): Issue =>
  issue(['sampling'], `the default rules do not fit: ${message}`)

type FileRule = z.output<typeof ruleSchema>
type Sections = Readonly<Record<string, unknown>>
type Found<T> = { readonly value: T; readonly path: Path }

const isRecord = (value: unknown): value is Sections =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

// The schema refuses longer lists; what is left over need not be compared with everything else.
const firstOf = (value: unknown): readonly unknown[] => listOf(value).slice(0, MOST_ENTRIES)

const nameOf = (item: unknown): readonly string[] =>
  isRecord(item) && typeof item['name'] === 'string' ? [item['name']] : []

const issue = (path: Path, message: string): Issue => ({ at: 'value', path, message })

const wellFormed = <T>(key: string, list: unknown, schema: z.ZodType<T>): readonly Found<T>[] =>
  firstOf(list).flatMap((item, index) => {
    const parsed = schema.safeParse(item)
    return parsed.success ? [{ value: parsed.data, path: [key, index] }] : []
  })

const repeatedNames = (key: string, list: unknown): readonly Issue[] => {
  const seen = new Set<string>()
  return listOf(list).flatMap((item, index) =>
    nameOf(item).flatMap((name) => {
      if (seen.has(name)) return [issue([key, index, 'name'], `the name ${quoted(name)} is given twice`)]
      seen.add(name)
      return []
    }),
  )
}

const checkTarget = ({ value, path }: Found<Target>, earlier: readonly Found<Target>[]): readonly Issue[] => {
  const issues: Issue[] = []
  const mistake = regExpMistake(value.match.cmdline ?? '')
  if (mistake !== undefined) issues.push(issue([...path, 'match', 'cmdline'], mistake))
  const shadow = earlier.find((other) => isShadowing(other.value, value))?.value.name
  if (shadow !== undefined) {
    const message = `${quoted(value.name)} can never match: ${quoted(shadow)} takes the same processes and comes first`
    issues.push(issue([...path, 'match'], message))
  }
  return issues
}

const regExpMistake = (expression: string): string | undefined => {
  try {
    RegExp(expression)
    return undefined
  } catch (error) {
    return `cmdline: is no regular expression: ${(error as Error).message}`
  }
}

const isShadowing = (earlier: Target, later: Target): boolean => {
  if (earlier.name === later.name) return false
  if (takesEverything(earlier)) return takesEverything(later)
  const { labels = {}, ...keys } = earlier.match
  const { labels: wantedLabels = {}, ...wanted } = later.match
  return isPart(keys, wanted) && isPart(labels, wantedLabels)
}

type Words = Readonly<Record<string, string | undefined>>

const isPart = (some: Words, all: Words): boolean =>
  Object.entries(some).every(([key, value]) => all[key] === value)

const unknownTargets = (rules: unknown, names: readonly string[]): readonly Issue[] =>
  firstOf(rules)
    .flatMap((rule, index) =>
      firstOf(isRecord(rule) ? rule['targets'] : []).map((name, position) => ({
        name,
        path: ['rules', index, 'targets', position],
      })),
    )
    .flatMap(({ name, path }) => (typeof name === 'string' ? [{ name, path }] : []))
    .filter(({ name }) => name !== '*' && !names.includes(name))
    .map(({ name, path }, index) => {
      // A suggestion is compared with every name, so thousands of mistakes do not get one each.
      const suggestion = index < MOST_SUGGESTIONS ? didYouMean(name, names) : ''
      return issue(path, `no target named ${quoted(name)}${suggestion}`)
    })

const checkCapture = (section: unknown): readonly Issue[] => {
  const capture = captureSchema.safeParse(section).data
  if (capture === undefined || capture.gdb_timeout <= capture.timeout) return []
  return [issue(['capture', 'gdb_timeout'], 'gdb_timeout: is longer than the timeout of the whole capture')]
}

const checkKubernetes = (section: unknown): readonly Issue[] => {
  const kubernetes = kubernetesSchema.safeParse(section).data
  if (kubernetes === undefined || !kubernetes.opt_in || kubernetes.pods_url !== 'off') return []
  return [
    issue(
      ['kubernetes', 'opt_in'],
      'opt_in: without pods_url nobody tells of annotations, and no pod would be watched',
    ),
  ]
}
