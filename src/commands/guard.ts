import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { parseDuration } from '../config/units.ts'
import { parseSystemdTime } from '../proc/systemd-time.ts'
import { formatDuration } from '../report/format.ts'
import { EXIT } from './exit-codes.ts'
import { guardPath, renderGuard, stopCommands } from './guard-drop-in.ts'
import { guardNow } from './guard-now.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export type GuardOptions = CommonOptions & {
  readonly budget: string
  readonly now?: boolean | undefined
  readonly remove?: boolean | undefined
}

const run = promisify(execFile)

/** Of what a stop leaves for us: the service's own end has a time of its own. */
const SPARE_MS = 3000

/** `pyheapctl guard`: a unit is captured before it is stopped, from now on, or once. */
export async function guardCommand(
  name: string | undefined,
  options: GuardOptions,
  terminal: Terminal,
): Promise<number> {
  const budget = parseDuration(options.budget)
  if (budget.kind === 'invalid' || budget.value < 1000) {
    terminal.err(budget.kind === 'invalid' ? `--budget: ${budget.message}` : '--budget: at least 1s')
    return EXIT.usage
  }
  if (process.getuid?.() !== 0) {
    terminal.err('only root may snapshot processes and change units; try it with sudo')
    return EXIT.notRoot
  }
  const unit = name === undefined || /\.\w+$/.test(name) ? name : `${name}.service`
  if (options.now === true) {
    const settings = await readSettings(options, terminal)
    return settings ? guardNow(unit, budget.value, settings, terminal) : EXIT.config
  }
  if (unit === undefined || !/^[\w:.@\\-]+\.service$/.test(unit)) {
    terminal.err(unit === undefined ? 'guard which unit? (or --now)' : `${unit} is no service`)
    return EXIT.usage
  }
  return options.remove === true ? removeGuard(unit, terminal) : installGuard(unit, budget.value, terminal)
}

async function installGuard(unit: string, budgetMs: number, terminal: Terminal): Promise<number> {
  const shown = await systemctl('show', '--property=LoadState,TimeoutStopUSec', unit)
  if (shown === undefined) {
    terminal.err('systemctl does not answer: is this machine run by systemd?')
    return EXIT.notFound
  }
  if (!/^LoadState=loaded$/m.test(shown)) {
    terminal.err(`there is no unit ${unit}`)
    return EXIT.notFound
  }
  const stopMs = parseSystemdTime(/^TimeoutStopUSec=(.*)$/m.exec(shown)?.[1] ?? 'infinity')
  if (stopMs !== undefined && stopMs < budgetMs + SPARE_MS) {
    terminal.err(
      `${unit} has ${formatDuration(stopMs)} for each command on stop (TimeoutStopSec): give a smaller --budget, or raise it`,
    )
    return EXIT.usage
  }
  const commands = stopCommands((await systemctl('cat', unit)) ?? '')
  const file = guardPath(unit)
  const text = renderGuard({ program: ownProgram(), budgetMs, commands })
  const isNew = !existsSync(file) || readFileSync(file, 'utf8') !== text
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: 0o644 })
  await systemctl('daemon-reload')
  terminal.out(
    `${isNew ? 'wrote' : 'unchanged:'} ${file}\n${unit} is captured before it is stopped or restarted, for ${formatDuration(budgetMs)} at most`,
  )
  if (commands.length > 0)
    terminal.err(`its own ${commands.length} ExecStop= are repeated there: guard it again when they change`)
  return EXIT.ok
}

async function removeGuard(unit: string, terminal: Terminal): Promise<number> {
  const file = guardPath(unit)
  if (!existsSync(file)) {
    terminal.err(`${unit} is not guarded`)
    return EXIT.notFound
  }
  rmSync(file)
  try {
    rmdirSync(dirname(file))
  } catch {
    // It has other drop-ins.
  }
  await systemctl('daemon-reload')
  terminal.out(`${unit} is no longer guarded`)
  return EXIT.ok
}

/** What systemctl prints; undefined when it fails. */
async function systemctl(...args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run('systemctl', ['--no-pager', ...args], { timeout: 30_000 })).stdout
  } catch {
    return undefined
  }
}

function ownProgram(): string {
  const installed = '/usr/bin/pyheapctl'
  return existsSync(installed)
    ? installed
    : `${process.execPath} ${realpathSync(process.argv[1] ?? installed)}`
}
