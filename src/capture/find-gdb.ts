import { execa } from 'execa'
import type { CaptureFailed } from '../model.ts'

export type Gdb = { readonly kind: 'gdb'; readonly path: string; readonly version: string }

/** `thread apply -q` came with 8.3, `set exec-file-mismatch` with 9.1. */
const OLDEST = 9

/** Finds gdb on PATH and makes sure that it is new enough. */
export async function findGdb(path = 'gdb'): Promise<Gdb | CaptureFailed> {
  const { stdout } = await execa(path, ['-nx', '--version'], {
    reject: false,
    timeout: 10_000,
    stdin: 'ignore',
  })
  if (typeof stdout !== 'string' || stdout === '')
    return {
      kind: 'failed',
      reason: 'gdb-missing',
      detail: 'gdb is not installed',
      hint: 'install it: apt-get install gdb (or dnf install gdb)',
    }
  const version = parseGdbVersion(stdout)
  if (version === undefined || Number(version.split('.')[0]) < OLDEST)
    return {
      kind: 'failed',
      reason: 'gdb-too-old',
      detail: `gdb ${version ?? 'of unknown version'} is too old`,
      hint: `install gdb ${OLDEST} or later`,
    }
  return { kind: 'gdb', path, version }
}

/** `GNU gdb (Debian 13.1-3) 13.1` → `13.1`: the last word of the line. */
export const parseGdbVersion = (text: string): string | undefined =>
  /^GNU gdb .*\s(\d+\.\d+)\S*\s*$/m.exec(text)?.[1]
