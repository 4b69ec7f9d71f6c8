import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const Truth = z.object({
  id: z.string(),
  title: z.string(),
  category: z.enum(['python-objects', 'native', 'fragmentation', 'mmap', 'shm', 'not-a-leak']),
  profile: z.enum(['plateau', 'spike', 'constant']).optional(),
  holder_patterns: z.array(z.string()).default([]),
  type_patterns: z.array(z.string()).default([]),
  innocent_patterns: z.array(z.string()).default([]),
  /** Debian packages without which it does not run. */
  requires: z.array(z.string()).optional(),
  /** The versions that it runs on; all without. */
  pythons: z.array(z.string()).optional(),
})
export type Truth = z.infer<typeof Truth>

export type Leak = { readonly truth: Truth; readonly program: string }

/** The programs of a corpus: NAME.py, with what is true of it in NAME.json. */
export const readCorpus = (directory: string): readonly Leak[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => ({
      truth: Truth.parse(JSON.parse(readFileSync(join(directory, name), 'utf8'))),
      program: join(directory, name.replace(/json$/, 'py')),
    }))

/** What is wrong with a verdict; nothing when it is right. */
export function judgeVerdict(truth: Truth, verdict: string): readonly string[] {
  const says = (patterns: readonly string[]): string | undefined =>
    patterns.find((pattern) => toRegExp(pattern).test(verdict))
  const wrong: string[] = []
  if (truth.holder_patterns.length > 0 && says(truth.holder_patterns) === undefined)
    wrong.push('does not name the holder')
  if (truth.type_patterns.length > 0 && says(truth.type_patterns) === undefined)
    wrong.push('does not name the type')
  const innocent = says(truth.innocent_patterns)
  if (innocent !== undefined) wrong.push(`accuses the innocent ${innocent}`)
  return wrong
}

/** As Python writes them: a flag stands in front. */
const toRegExp = (pattern: string): RegExp =>
  pattern.startsWith('(?i)') ? new RegExp(pattern.slice(4), 'i') : new RegExp(pattern)
