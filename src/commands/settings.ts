import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { defaultConfig } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { formatProblems } from '../config/problem.ts'
import { checkCron } from '../observe/schedule.ts'
import { unpackArchive } from '../store/archive/unpack.ts'
import { places } from '../installation.ts'
import { type BucketStore, openBucketStore } from './bucket-store.ts'
import type { Terminal } from './terminal.ts'

/** Options that several commands take. */
export type CommonOptions = {
  readonly config: string
  readonly store?: string | undefined
  readonly json?: boolean | undefined
}

/** The configuration, with a store that may be somewhere else. */
export type Settings = Omit<Config, 'store'> & { readonly store: Config['store'] & OpenStore }

/** Where the dumps are; `fetch` brings one there whole where they are somewhere else, or answers why not. */
export type OpenStore = { readonly dir: string } & Partial<Pick<BucketStore, 'fetch'>>

/**
 * The daemon's configuration, so that a capture by hand is named and stored like its own. The defaults hold where there
 * is none, and with a word about it where the daemon's is broken; undefined when the one that was asked for is.
 */
export async function readSettings(
  options: CommonOptions,
  terminal: Terminal,
): Promise<Settings | undefined> {
  const isDaemons = options.config === places.config
  const config =
    isDaemons && !existsSync(places.config) ? defaultConfig : await readOrTell(options.config, terminal)
  if (config === undefined || options.store === undefined) return config
  if (options.store.startsWith('s3:')) {
    const bucket = await openBucketStore(options.store, config, terminal)
    return bucket && { ...config, store: { ...config.store, ...bucket } }
  }
  const dir = ARCHIVE.test(options.store) ? await openArchive(options.store, terminal) : options.store
  return dir === undefined ? undefined : { ...config, store: { ...config.store, dir } }
}

const ARCHIVE = /\.(?:tar\.gz|tgz)$/

/** An archive of dumps as a store, until we end. */
async function openArchive(file: string, terminal: Terminal): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'pyheap-archive-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const unpacked = await unpackArchive(file, folder)
  if (unpacked.kind === 'unpacked') return folder
  terminal.err(`${unpacked.file}: ${unpacked.detail}`)
  return undefined
}

async function readOrTell(file: string, terminal: Terminal): Promise<Config | undefined> {
  const parsed = await loadConfig(file, undefined, { checkCron })
  if (parsed.kind === 'config') return parsed.config
  if (file !== places.config) {
    terminal.err(formatProblems(parsed.problems, { colour: false }))
    return undefined
  }
  terminal.err(`${file} is not valid (see: pyheapctl check); going on with the defaults`)
  return defaultConfig
}
