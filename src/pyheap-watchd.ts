#!/usr/bin/env node
import { isatty } from 'node:tty'
import { Command } from 'commander'
import type { Config } from './config/config.ts'
import { loadConfig } from './config/load.ts'
import { findUntrusted } from './config/trusted.ts'
import { formatProblems } from './config/problem.ts'
import { EXIT } from './commands/exit-codes.ts'
import { installation, places } from './installation.ts'
import { live, type ReadConfig } from './daemon/live.ts'
import { openLog } from './log.ts'
import { checkCron } from './observe/schedule.ts'

type Options = { readonly config: string; readonly check?: boolean }

const program = new Command('pyheap-watchd')
  .description('Watches Python services and snapshots one before it runs out of memory.')
  .option('--config <file>', 'configuration; drop-ins are read from config.d beside it', places.config)
  .option('--check', 'check the configuration and exit')
  .version(installation.version)
  .helpOption('-h, --help', 'show this help')
  .addHelpText(
    'after',
    '\nSignals: SIGHUP reloads the configuration, SIGTERM ends after a running capture.\n',
  )
  .configureOutput({ writeOut: (text) => process.stdout.write(text) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage))
  .parse()

const options = program.opts<Options>()
// A hook that still runs must not keep it: the log is written at once, so nothing is lost.
process.exit(options.check === true ? await check(options.config) : await run(options.config))

async function check(file: string): Promise<number> {
  const config = await readOrTell(file)
  if (config) process.stdout.write(`${file} is valid\n`)
  return config ? EXIT.ok : EXIT.config
}

async function run(file: string): Promise<number> {
  const config = await readOrTell(file)
  if (!config) return EXIT.config
  const untrusted = await findUntrusted(file, process.getuid?.() ?? 0)
  if (untrusted.length > 0) {
    process.stderr.write(`${untrusted.join('\n')}\n`)
    return EXIT.config
  }
  const log = openLog(config.logLevel, process.env, process.stderr.isTTY)
  if (process.getuid?.() !== 0) {
    log.fatal('only root may snapshot other processes: start it with systemctl, or with sudo')
    return EXIT.notRoot
  }
  return live(config, () => readConfig(file), log)
}

async function readConfig(file: string): ReturnType<ReadConfig> {
  const untrusted = await findUntrusted(file, process.getuid?.() ?? 0)
  if (untrusted.length > 0) return { problems: untrusted }
  const parsed = await loadConfig(file, undefined, { checkCron })
  if (parsed.kind === 'config') return parsed.config
  return {
    problems: parsed.problems.map(
      ({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`,
    ),
  }
}

async function readOrTell(file: string): Promise<Config | undefined> {
  const parsed = await loadConfig(file, undefined, { checkCron })
  if (parsed.kind === 'config') return parsed.config
  const colour = isatty(process.stderr.fd) && process.env['NO_COLOR'] === undefined
  process.stderr.write(formatProblems(parsed.problems, { colour }))
  return undefined
}
