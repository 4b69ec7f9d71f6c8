import { loadConfig } from '../config/load.ts'
import { formatProblems } from '../config/problem.ts'
import { checkCron } from '../observe/schedule.ts'
import { EXIT } from './exit-codes.ts'
import type { CommonOptions } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** `pyheapctl check [FILE]`: validates a configuration with its drop-ins, as the daemon would. */
export async function checkCommand(
  file: string,
  options: CommonOptions,
  terminal: Terminal,
): Promise<number> {
  const parsed = await loadConfig(file, undefined, { checkCron })
  if (options.json === true) terminal.out(JSON.stringify(parsed, null, 1))
  if (parsed.kind === 'config') {
    const { targets, decide } = parsed.config
    if (options.json !== true)
      terminal.out(`${file} is valid: ${targets.length} targets, ${decide.rules.length} rules`)
    return EXIT.ok
  }
  if (options.json !== true) terminal.err(formatProblems(parsed.problems, { colour: terminal.colour }))
  return EXIT.config
}
