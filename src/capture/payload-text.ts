import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CaptureKind } from '../model.ts'

/** The payload's files as the one Python text that bootstrap.py expects, NUL-free ASCII or UTF-8. */
export function readPayload(directory: string): Buffer {
  const names = readdirSync(directory).filter((name) => name.endsWith('.py') && name !== 'bootstrap.py')
  const sources = Object.fromEntries(
    names.map((name) => [name.slice(0, -'.py'.length), readFileSync(join(directory, name), 'utf8')]),
  )
  const bootstrap = readFileSync(join(directory, 'bootstrap.py'), 'utf8')
  return Buffer.from(`SOURCES = ${JSON.stringify(sources)}\n${bootstrap}`)
}

/** What the payload tells; a core is written from outside. */
export type PayloadKind = Exclude<CaptureKind, 'core' | 'gc'>

/** The payload with what is asked of it; JSON of plain names is Python too. */
export const askFor = (payload: Buffer, kinds: readonly PayloadKind[]): Buffer =>
  Buffer.concat([Buffer.from(`REQUEST["kinds"] = ${JSON.stringify(kinds)}\n`), payload])
