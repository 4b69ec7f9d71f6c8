import { existsSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { defaultConfig } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { formatProblems } from '../config/problem.ts'
import { checkCron } from '../observe/schedule.ts'
import type { Terminal } from './terminal.ts'

/** Options that several commands take. */
export type CommonOptions = {
  readonly config: string
  readonly store?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * The daemon's configuration, so that a capture by hand is named and stored like its own. Where there is none the
 * defaults hold; a broken one is told, and does not stand in the way of looking at dumps.
 */
export async function readSettings(options: CommonOptions, terminal: Terminal): Promise<Config> {
  const config = existsSync(options.config) ? await readOrTell(options.config, terminal) : defaultConfig
  return options.store === undefined ? config : { ...config, store: { ...config.store, dir: options.store } }
}

async function readOrTell(file: string, terminal: Terminal): Promise<Config> {
  const parsed = await loadConfig(file, undefined, { checkCron })
  if (parsed.kind === 'config') return parsed.config
  terminal.err(`${formatProblems(parsed.problems, { colour: false })}going on with the default configuration`)
  return defaultConfig
}
