import type { Command } from 'commander'

/** A manual page of section 1, from the commands' own help. */
export function renderManPage(program: Command, version: string): string {
  const commands = program.commands.filter((each) => !each.name().startsWith('__') && each.name() !== 'help')
  return [
    `.TH ${program.name().toUpperCase()} 1 "" "pyheap-watchd ${version}" "pyheap-watchd"`,
    '.SH NAME',
    `${program.name()} \\- ${roff(program.description().replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    `.B ${program.name()}`,
    '.I COMMAND',
    '[options] [arguments]',
    '.SH COMMANDS',
    ...commands.flatMap((each) => commandLines(each)),
    ...afterHelp(program),
    '.SH FILES',
    '.TP',
    '.I /etc/pyheap-watchd/config.yaml',
    "The daemon's configuration, whose store is used here too.",
    '.TP',
    '.I /var/lib/pyheap',
    'The dumps.',
    '.SH SEE ALSO',
    '.BR pyheap-watchd (8)',
    '',
  ].join('\n')
}

function commandLines(command: Command): readonly string[] {
  const help = command.createHelp()
  const args = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '…' : ''}`
    return argument.required ? name : `[${name}]`
  })
  return [
    `.SS ${command.name()} ${roff(args.join(' '))}`,
    roff(sentence(command.description())),
    ...help
      .visibleOptions(command)
      .flatMap((option) => ['.TP', `.B ${roff(option.flags)}`, roff(help.optionDescription(option))]),
    ...afterHelp(command),
  ]
}

/** What stands below the help: set as it is. */
function afterHelp(command: Command): readonly string[] {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  const plain = command.helpInformation()
  const after = text.slice(text.indexOf(plain) + plain.length).trim()
  return after === '' ? [] : ['.PP', '.nf', ...after.split('\n').map((line) => roff(line)), '.fi']
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** As roff takes it: no command at the begin of a line, and hyphens that can be copied. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll(/^(?=['.])/gm, String.raw`\&`)
