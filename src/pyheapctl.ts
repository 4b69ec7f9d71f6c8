#!/usr/bin/env node
import { CommanderError } from 'commander'
import { EXIT } from './commands/exit-codes.ts'
import { createProgram } from './commands/program.ts'
import { openTerminal } from './commands/terminal.ts'

const program = createProgram(openTerminal(process.env))
program.exitOverride()
for (const each of program.commands) each.exitOverride()
try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
}
