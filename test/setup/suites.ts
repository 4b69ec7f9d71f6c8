import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Debian's suites whose interpreters the optional tests use, and what an interpreter's package may be called. */
export const SUITES = ['bullseye', 'bookworm', 'trixie', 'sid'] as const
export const INTERPRETERS = '^(python3|python3-dbg|python3\\.[0-9]+(-dbg|-nogil)?|pypy3)$'

/** A Debian suite unpacked into a directory: enough for its interpreters to run in a chroot. */
export type Suite = {
  readonly name: string
  readonly root: string
  /** Paths within the root. */
  readonly pythons: readonly string[]
  readonly pypy: string | undefined
}

/** Where the suites are kept between runs; outside the checkout. */
export const suitesDirectory = (): string =>
  process.env['PYHEAP_SUITES'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pyheap-watchd', 'suites')

/** What a finished suite says in this file of its root; one that was made for other interpreters is made anew. */
export const STAMP = '.interpreters'

/** The suites that `npm run test:suites` has made. */
export const findSuites = (): readonly Suite[] =>
  SUITES.map((name) => ({ name, root: join(suitesDirectory(), name) }))
    .filter(({ root }) => isMade(root))
    .map(({ name, root }) => {
      const programs = readdirSync(join(root, 'usr/bin'))
      const versions = programs.filter((program) => /^python3\.\d+(t|d|td)?$/.test(program))
      const byVersion = versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      return {
        name,
        root,
        pythons: byVersion.map((program) => `/usr/bin/${program}`),
        pypy: programs.includes('pypy3') ? '/usr/bin/pypy3' : undefined,
      }
    })

export const isMade = (root: string): boolean =>
  existsSync(join(root, STAMP)) && readFileSync(join(root, STAMP), 'utf8') === INTERPRETERS
