// Checks the payload's Python and its tests with ruff; `--fix` writes the formatting. Part of `npm run lint`.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PositionEncoding, Workspace } from '@astral-sh/ruff-wasm-nodejs'

const root = new URL('..', import.meta.url).pathname
const LAYOUT = { 'target-version': 'py38', 'line-length': 120 }
// Errors, pyflakes, import order, bugbear, comprehensions, simplifications, dead code.
const RULES = ['E', 'W', 'F', 'I', 'B', 'C4', 'SIM', 'ERA', 'RUF100']
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  'src/payload': [...RULES, 'N', 'T20'], // nothing may be printed in a snapshot
  test: RULES.filter((rule) => rule !== 'SIM'), // programs that are read top to bottom
}

/** Programs that were written elsewhere, and are run as they are. */
const GIVEN = /^leaks\/corpus\/(?:v\d|leaklib)/

type Finding = {
  readonly code: string | null
  readonly message: string
  readonly start_location: { readonly row: number }
}

const listFiles = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.py') && !GIVEN.test(name))
    .map((name) => join(folder, name))
    .toSorted()

function checkFile(workspace: Workspace, name: string, fix: boolean): readonly string[] {
  const text = readFileSync(join(root, name), 'utf8')
  const findings: readonly Finding[] = workspace.check(text)
  const told = findings.map(
    ({ code, message, start_location }) => `${name}:${start_location.row}: ${code} ${message}`,
  )
  if (findings.some(({ code }) => code === null)) return told // what is no Python cannot be formatted
  const formatted = workspace.format(text)
  if (formatted === text) return told
  if (!fix) return [...told, `${name}:1: not formatted; npm run format does it`]
  writeFileSync(join(root, name), formatted)
  return told
}

const isFixing = process.argv.includes('--fix')
const problems = Object.entries(FOLDERS).flatMap(([folder, select]) => {
  // B905: zip() knows `strict` from 3.10 on only; SIM105: contextlib may not be loaded.
  const workspace = new Workspace(
    { ...LAYOUT, lint: { select, ignore: ['B905', 'SIM105'] } },
    PositionEncoding.Utf16,
  )
  return listFiles(folder).flatMap((name) => checkFile(workspace, name, isFixing))
})
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.exitCode = problems.length > 0 ? 1 : 0
