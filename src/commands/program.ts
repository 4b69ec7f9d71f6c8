import { Command } from 'commander'
import { captureCommand } from './capture.ts'
import { checkCommand } from './check.ts'
import { completeCommand, renderCompletion, SHELLS } from './completion.ts'
import { type CollectOptions, collectCommand } from './collect.ts'
import { addDaemonCommands } from './daemon-commands.ts'
import { diffCommand } from './diff.ts'
import { doctorCommand } from './doctor.ts'
import { type ExecOptions, execCommand } from './exec.ts'
import { EXIT } from './exit-codes.ts'
import { explainCommand, type ExplainOptions } from './explain.ts'
import { EXPORT_FORMATS, type ExportOptions, exportCommand } from './export.ts'
import { type GraphOptions, graphCommand } from './graph.ts'
import { listCommand } from './list.ts'
import type { CodeOptions } from './code-session.ts'
import type { CommonOptions } from './settings.ts'
import { type ReportOptions, reportCommand } from './report.ts'
import { psCommand, topCommand, type TopOptions } from './processes.ts'
import { serveCommand, type ServeOptions } from './serve.ts'
import { shellCommand } from './shell.ts'
import { SHOW_STYLES, showCommand, type ShowOptions } from './show.ts'
import type { Terminal } from './terminal.ts'
import { installation, places } from '../installation.ts'

/** `pyheapctl` with all its commands; completion and the manual are made from it too. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('pyheapctl')
    .description('Heap dumps of Python services: take one, look at one, compare two.')
    .version(installation.version)
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(pyheapctl --help lists the commands)')
    .addHelpText(
      'after',
      `
DUMP is a path, TARGET/NAME as \`list\` prints it, a process id, a target (its newest) or "latest".

Examples:
  sudo pyheapctl capture 4242          one dump of process 4242, now
  pyheapctl show latest                what the newest dump says
  pyheapctl show --verdict 4242        only who is to blame
  pyheapctl diff api/A api/B           what grew between two dumps
  pyheapctl graph latest               what retains what, of a dump with a graph
  pyheapctl report latest --html r.html  the same as a page with pictures
  sudo pyheapctl doctor                can this machine do it all?
`,
    )

  /** A command with the options that all have. */
  const command = (usage: string, description: string): Command =>
    talk(usage, description).option('--json', 'print data instead of text')

  /** One that has no data to print. */
  const talk = (usage: string, description: string): Command =>
    program
      .command(usage)
      .description(description)
      .option(
        '--store <dir>',
        'where the dumps are: a directory, an archive of `collect`, or s3://bucket/prefix (default: store.dir of the configuration)',
      )
      .option('--config <file>', "the daemon's configuration", places.config)
      .helpOption('-h, --help', 'show help')

  /** Of an option that may be given several times. */
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

  /** Runs a command and keeps its exit code; a defect of ours is told as one. */
  const finish = async (code: Promise<number>): Promise<void> => {
    try {
      process.exitCode = await code
    } catch (error) {
      terminal.err(`this is a defect of pyheapctl: ${error instanceof Error ? error.stack : String(error)}`)
      process.exitCode = EXIT.bug
    }
  }

  command('capture <pid>', 'take one dump of a process now')
    .option(
      '--with <kinds>',
      'what to capture: census, stacks, graph (every object and what it refers to, for `graph`), core (a core file of the snapshot, for gdb), gc (collections for 5 s, by bpftrace)',
      'census,stacks',
    )
    .action((pid: string, options: CommonOptions & { with: string }) =>
      finish(captureCommand(pid, options, terminal)),
    )

  command('ps', 'the Python processes that targets name: RSS, limit, distance to the nearest rule').action(
    (options: CommonOptions) => finish(psCommand(options, terminal)),
  )

  command('top', 'the same again and again, with growth and the time to the limit')
    .option('-d, --interval <seconds>', 'how often', '2')
    .option('-n, --count <number>', 'end after so many times')
    .action((options: TopOptions) => finish(topCommand(options, terminal)))

  command('explain <pid>', 'why a process would be captured, or what each rule waits for')
    .option('--watch <seconds>', 'sample it for so long first, for rules on growth', '0')
    .action((pid: string, options: ExplainOptions) => finish(explainCommand(pid, options, terminal)))

  command('list [target]', 'the dumps in the store, newest first')
    .option('--group', 'a line for each leak, with how many dumps and hosts have it')
    .action((target: string | undefined, options: CommonOptions & { group?: boolean }) =>
      finish(listCommand(target, options, terminal)),
    )

  command('show [dump]', 'what one dump says')
    .option('--verdict', 'only the lines that name the culprit')
    .option('--style <style>', `the types alone, as another tool prints them: ${SHOW_STYLES.join(', ')}`)
    .action((dump: string | undefined, options: ShowOptions) =>
      finish(showCommand(dump ?? 'latest', options, terminal)),
    )

  command('diff <a> <b>', 'what grew from dump A to dump B').action(
    (a: string, b: string, options: CommonOptions) => finish(diffCommand([a, b], options, terminal)),
  )

  command('graph [dump]', 'what retains how much and how it is reached, of a dump with a graph')
    .option('--against <dump>', 'an earlier dump with a graph: what grew since')
    .addHelpText(
      'after',
      `
A graph has every object of the process and what it refers to. It is worked through here, for as long as 10 s and in as
much as 100 bytes of memory per object; the dump's directory is all it needs.

Examples:
  sudo pyheapctl capture 4242 --with graph
  pyheapctl graph latest
  pyheapctl graph api/B --against api/A
`,
    )
    .action((dump: string | undefined, options: GraphOptions) =>
      finish(graphCommand(dump ?? 'latest', options, terminal)),
    )

  talk('export [dump]', "a dump in a format of other people's tools")
    .requiredOption('--format <format>', EXPORT_FORMATS.join(', '))
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .option(
      '--nodes <number>',
      'heapsnapshot: at most so many objects; the others become part of those that keep them',
      '2000000',
    )
    .addHelpText(
      'after',
      `
heapsnapshot       the graph, for the Memory panel of Chrome's DevTools (name it .heapsnapshot) and memlab
pprof              who keeps how much, for go tool pprof, Pyroscope, Parca and speedscope
pprof-allocations  where tracemalloc saw it allocated, for the same
meliae             the graph as lines of JSON, for meliae's loader

Examples:
  pyheapctl export latest --format heapsnapshot -o api.heapsnapshot
  pyheapctl export api/B --format pprof -o b.pb.gz && go tool pprof -http=: b.pb.gz
`,
    )
    .action((dump: string | undefined, options: ExportOptions) =>
      finish(exportCommand(dump ?? 'latest', options, terminal)),
    )

  talk('serve', 'the store as pages for a browser, read-only')
    .option('--listen <address>', 'where: PORT, or ADDRESS:PORT', '127.0.0.1:8765')
    .option('--token-file <file>', 'a file with the token that a browser has to give as password')
    .action((options: ServeOptions) => finish(serveCommand(options, terminal)))

  command('collect <dump...>', 'dumps in one file, for a ticket')
    .requiredOption('-o, --output <file>', 'the file to write: ….tar.gz')
    .option(
      '--redact <regexp>',
      'also take out what this matches in the command line, or its group; may be given several times',
      collect,
      [],
    )
    .option(
      '--with-secrets',
      'leave everything in: arguments that are secrets by their names, and passwords in URLs, too',
    )
    .option('--core', 'with cores, which have the values of the service')
    .addHelpText(
      'after',
      `
Every command that takes --store takes such a file as a store: pyheapctl show latest --store ticket.tar.gz

Examples:
  pyheapctl collect latest -o ticket.tar.gz
  pyheapctl collect api/A api/B -o ticket.tar.gz --redact '--tenant=(.*)'
`,
    )
    .action((dumps: string[], options: CollectOptions) => finish(collectCommand(dumps, options, terminal)))

  command('report [dump]', 'what one dump says, as a page with pictures')
    .requiredOption('--html <file>', 'the file to write, - for standard output; the page needs nothing else')
    .action((dump: string | undefined, options: ReportOptions) =>
      finish(reportCommand(dump ?? 'latest', options, terminal)),
    )

  command('exec <pid>', 'run Python in a snapshot of a process')
    .option('-c, --code <code>', 'what to run')
    .option('-f, --file <file>', 'a file to run; - is standard input')
    .option('--path <dir>', 'a directory to import from, first; may be given several times', collect, [])
    .option('--timeout <time>', 'end the snapshot after this long', '5m')
    .option(
      '--live',
      'in the process itself, not in a snapshot of it: what the code does, it does to the service',
    )
    .addHelpText(
      'after',
      `
The code sees the process as it was: its modules, its objects (main is its __main__, frames the variables of its
threads). It may read files and change what it likes: nothing reaches the process. It cannot write files, open sockets
or start anything. Exit code 1: the code raised.

Examples:
  sudo pyheapctl exec 4242 -c 'import shop.cache; print(len(shop.cache.SESSIONS))'
  sudo pyheapctl exec 4242 -f report.py --json
  sudo pyheapctl exec 4242 --path /opt/pympler -c 'from pympler import muppy, summary
  summary.print_(summary.summarize(muppy.get_objects()))'
`,
    )
    .action((pid: string, options: ExecOptions) => finish(execCommand(pid, options, terminal)))

  talk('shell <pid>', 'interactive Python in a snapshot of a process')
    .option('--path <dir>', 'a directory to import from, first; may be given several times', collect, [])
    .option('--timeout <time>', 'end it when nothing is typed, or a statement runs, for this long', '10m')
    .option('--live', 'in the process itself, not in a snapshot of it')
    .addHelpText(
      'after',
      `
What is typed sees the process as it was, and never reaches it; see exec --help. Tab completes names without running
anything of the process. The history is kept in $XDG_STATE_HOME/pyheap/history. Statements may also come from a pipe; an
empty line ends a block there too.

Examples:
  sudo pyheapctl shell 4242
  sudo pyheapctl shell 4242 --path /opt/pympler
  echo 'len(main.SESSIONS)' | sudo pyheapctl shell 4242
`,
    )
    .action((pid: string, options: CodeOptions) => finish(shellCommand(pid, options, terminal)))

  command('check [file]', 'validate a configuration').action(
    (file: string | undefined, options: CommonOptions) =>
      finish(checkCommand(file ?? options.config, options, terminal)),
  )

  addDaemonCommands({ command, finish, terminal })

  command('doctor', 'can this machine do it all, and what to fix').action((options: CommonOptions) =>
    finish(doctorCommand(options, terminal)),
  )

  program
    .command('completion')
    .argument('<shell>', SHELLS.join(', '))
    .description('a script that completes pyheapctl in a shell')
    .addHelpText(
      'after',
      `
Examples:
  pyheapctl completion bash | sudo tee /usr/share/bash-completion/completions/pyheapctl
  pyheapctl completion fish > ~/.config/fish/completions/pyheapctl.fish
`,
    )
    .helpOption('-h, --help', 'show help')
    .action((name: string) => {
      const shell = SHELLS.find((known) => known === name)
      if (shell !== undefined) terminal.out(renderCompletion(program, shell))
      else terminal.err(`${name} is not one of ${SHELLS.join(', ')}`)
      process.exitCode = shell === undefined ? EXIT.usage : EXIT.ok
    })

  program
    .command('__complete <what>', { hidden: true })
    .option('--store <dir>')
    .option('--config <file>', '', places.config)
    .action((what: string, options: CommonOptions) => finish(completeCommand(what, options, terminal)))
  return program
}
