import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installation } from '../installation.ts'
import { renderManPage } from './man-page.ts'
import { createProgram } from './program.ts'
import { openTerminal } from './terminal.ts'

// Run by the build: node dist/commands/write-man-page.js dist/man

const [, , folder] = process.argv
if (folder === undefined) {
  process.stderr.write('usage: write-man-page FOLDER\n')
  process.exitCode = 2
} else {
  mkdirSync(folder, { recursive: true })
  const page = renderManPage(createProgram(openTerminal(process.env)), installation.version)
  writeFileSync(join(folder, 'pyheapctl.1'), page)
}
