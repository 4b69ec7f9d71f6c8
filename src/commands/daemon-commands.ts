import type { Command } from 'commander'
import { type GuardOptions, guardCommand } from './guard.ts'
import { replayCommand } from './replay.ts'
import { pinCommand, type PinOptions } from './pin.ts'
import type { CommonOptions } from './settings.ts'
import { pauseCommand, reloadCommand, resumeCommand, statusCommand } from './status.ts'
import type { Terminal } from './terminal.ts'

type Adding = {
  /** Makes a command with the options that all have. */
  readonly command: (usage: string, description: string) => Command
  readonly finish: (code: Promise<number>) => Promise<void>
  readonly terminal: Terminal
}

/** Adds the commands that are about the daemon and the life of its dumps. */
export function addDaemonCommands({ command, finish, terminal }: Adding): void {
  command('status', 'how the running daemon is doing, and what it watches').action((options: CommonOptions) =>
    finish(statusCommand(options, terminal)),
  )

  command('reload', 'have the daemon read its configuration anew, and say what is wrong with that').action(
    (options: CommonOptions) => finish(reloadCommand(options, terminal)),
  )

  command('pause <time>', 'have no rule capture for a while: 30m, 2h').action(
    (time: string, options: CommonOptions) => finish(pauseCommand(time, options, terminal)),
  )

  command('resume', 'have rules capture again').action((options: CommonOptions) =>
    finish(resumeCommand(options, terminal)),
  )

  command('replay <file>', 'what the rules would have captured when, over recorded samples')
    .addHelpText(
      'after',
      `
The daemon records samples where sampling.record names a file. Captures are taken to last as long as their size lets
expect. To try other rules: --config.

Examples:
  pyheapctl replay /var/lib/pyheap/samples.ndjson
  pyheapctl replay samples.ndjson --config stricter.yaml
`,
    )
    .action((file: string, options: CommonOptions) => finish(replayCommand(file, options, terminal)))

  command('pin <dump>', 'keep a dump, whatever store.keep says')
    .option('--why <text>', 'a word about why, kept in the dump')
    .action((dump: string, options: PinOptions) => finish(pinCommand(dump, true, options, terminal)))

  command('unpin <dump>', 'let a dump expire again').action((dump: string, options: PinOptions) =>
    finish(pinCommand(dump, false, options, terminal)),
  )

  command('guard [unit]', 'capture a systemd unit whenever it is stopped or restarted, before it is')
    .option('--budget <time>', 'how long a stop may be held up', '20s')
    .option('--remove', 'no longer guard the unit')
    .option(
      '--now',
      'capture the Python processes of the unit once, now; without a unit all that targets name',
    )
    .addHelpText(
      'after',
      `
A drop-in is written for the unit: on stop it first captures its Python processes, the largest first, within the budget,
in a unit of its own, so that nothing is charged to the service. A unit with WatchdogSec= is captured by the daemon when
three quarters of that have gone by in silence.

In Kubernetes the preStop hook of a sidecar that shares the process namespace: pyheapctl guard --now --budget 20s

Examples:
  sudo pyheapctl guard api.service
  sudo pyheapctl guard api.service --budget 60s
  sudo pyheapctl guard api.service --remove
  sudo pyheapctl guard --now
`,
    )
    .action((unit: string | undefined, options: GuardOptions) =>
      finish(guardCommand(unit, options, terminal)),
    )
}
