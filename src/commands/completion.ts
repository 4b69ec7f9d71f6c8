import { readFileSync, readdirSync } from 'node:fs'
import type { Command, Option } from 'commander'
import { places } from '../installation.ts'
import { listDumpPlaces } from '../store/read-dumps.ts'
import { EXIT } from './exit-codes.ts'
import { type CommonOptions, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A command as completion needs it. */
type Completed = {
  readonly name: string
  readonly description: string
  readonly options: readonly Option[]
  /** What its arguments are. */
  readonly takes: 'pids' | 'dumps' | 'files' | undefined
}

/**
 * A script that completes `pyheapctl` in a shell. Names of commands and options are in it; only dumps and processes are
 * asked for, by `pyheapctl __complete`.
 */
export function renderCompletion(program: Command, shell: Shell): string {
  const commands = program.commands
    .filter((each) => !each.name().startsWith('__') && each.name() !== 'help')
    .map((each) => describe(each))
  return SCRIPTS[shell](commands)
}

const SCRIPTS: Readonly<Record<Shell, (commands: readonly Completed[]) => string>> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
}

function describe(command: Command): Completed {
  const name = command.registeredArguments[0]?.name()
  return {
    name: command.name(),
    description: command.description(),
    options: command.createHelp().visibleOptions(command),
    takes:
      name === 'pid'
        ? 'pids'
        : name === 'dump' || name === 'dumps' || name === 'a'
          ? 'dumps'
          : name === 'file'
            ? 'files'
            : undefined,
  }
}

const longOf = ({ long, short }: Option): string => long ?? short ?? ''
const takesFile = ({ flags }: Option): boolean => /<(?:file|dir)>/.test(flags)

function renderBash(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, options, takes }) => {
    const words = options.map(longOf).join(' ')
    const argument =
      takes === 'files'
        ? 'mapfile -t COMPREPLY < <(compgen -f -- "$word")'
        : takes === undefined
          ? ':'
          : `mapfile -t COMPREPLY < <(compgen -W "$(pyheapctl __complete ${takes} 2>/dev/null)" -- "$word")`
    return `    ${name}) options='${words}' ; [[ $word == -* ]] || ${argument} ;;`
  })
  const files = [...new Set(commands.flatMap(({ options }) => options.filter(takesFile).map(longOf)))]
  return `# bash completion for pyheapctl
_pyheapctl() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} options=''
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    mapfile -t COMPREPLY < <(compgen -W '${commands.map(({ name }) => name).join(' ')} help' -- "$word")
    return
  fi
  case $before in
    ${files.join('|')}) mapfile -t COMPREPLY < <(compgen -f -- "$word") ; return ;;
  esac
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  [[ $word != -* ]] || mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -o filenames -F _pyheapctl pyheapctl
`
}

/** In single quotes, for a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** What zsh puts between brackets. */
const bracketed = (text: string): string => text.replaceAll(/[[\]:\\]/g, String.raw`\$&`)

function renderZsh(commands: readonly Completed[]): string {
  const names = commands.map(({ name, description }) => `    ${quoted(`${name}:${bracketed(description)}`)}`)
  const cases = commands.map(({ name, options, takes }) => {
    const specs = options.map((option) =>
      quoted(
        `${longOf(option)}[${bracketed(option.description)}]${option.flags.includes('<') ? `:value:${takesFile(option) ? '_files' : ' '}` : ''}`,
      ),
    )
    const argument =
      takes === 'files'
        ? [`'*:file:_files'`]
        : takes === undefined
          ? []
          : [`'*:${takes}:_pyheapctl_${takes}'`]
    return `    ${name}) _arguments ${[...specs, ...argument].join(' ')} ;;`
  })
  return `#compdef pyheapctl
_pyheapctl_dumps() { local -a found; found=(\${(f)"$(pyheapctl __complete dumps 2>/dev/null)"}); compadd -a found }
_pyheapctl_pids() { local -a found; found=(\${(f)"$(pyheapctl __complete pids 2>/dev/null)"}); compadd -a found }
_pyheapctl() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  shift words; (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
compdef _pyheapctl pyheapctl
`
}

function renderFish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, description, options, takes }) => [
    `complete -c pyheapctl -f -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
    ...options.map(
      (option) =>
        `complete -c pyheapctl -n '__fish_seen_subcommand_from ${name}' -l ${longOf(option).replace(/^--/, '')}` +
        `${option.flags.includes('<') ? (takesFile(option) ? ' -rF' : ' -x') : ''} -d ${quoted(option.description)}`,
    ),
    ...(takes === 'pids' || takes === 'dumps'
      ? [
          `complete -c pyheapctl -f -n '__fish_seen_subcommand_from ${name}' -a '(pyheapctl __complete ${takes} 2>/dev/null)'`,
        ]
      : []),
  ])
  return `# fish completion for pyheapctl\n${lines.join('\n')}\n`
}

/** `pyheapctl __complete dumps|pids`: what an argument may be, a line each; quick, and silent where it cannot tell. */
export async function completeCommand(
  what: string,
  options: CommonOptions,
  terminal: Terminal,
): Promise<number> {
  if (what === 'pids') terminal.out(listPythons().join('\n'))
  else {
    const settings = await readSettings(options, terminal)
    if (!settings) return EXIT.config
    const { places: found } = await listDumpPlaces(settings.store.dir)
    terminal.out(['latest', ...found.map(({ id }) => id).filter((id) => HARMLESS.test(id))].join('\n'))
  }
  return EXIT.ok
}

/** Shells expand what they are given to complete from. */
const HARMLESS = /^[\w./@:+-]+$/

const listPythons = (): readonly string[] =>
  readdirSync(places.procRoot).filter((name) => /^[1-9]\d*$/.test(name) && isPython(name))

/** By its name alone: looking into every process would take longer than one waits for a key. */
function isPython(pid: string): boolean {
  try {
    const name = readFileSync(`${places.procRoot}/${pid}/comm`, 'latin1')
    return /python|gunicorn|uwsgi|uvicorn|celery/i.test(name)
  } catch {
    return false
  }
}
