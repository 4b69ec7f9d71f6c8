import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What was typed before, newest first, as readline keeps it. */
export type History = { readonly lines: string[]; readonly save: (lines: readonly string[]) => void }

const MOST_LINES = 1000

/** The history in the operator's state directory, where only they can read it; without one it lasts for the session. */
export function openHistory(env: NodeJS.ProcessEnv): History {
  const directory = join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'pyheap')
  const file = join(directory, 'history')
  return {
    lines: read(file),
    save: (lines) => {
      const draft = `${file}.${process.pid}`
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 })
        writeFileSync(draft, `${lines.slice(0, MOST_LINES).toReversed().join('\n')}\n`, { mode: 0o600 })
        renameSync(draft, file)
      } catch {
        // no home, or a full disk: nothing that a session should end in an error for
      }
    },
  }
}

function read(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-MOST_LINES).toReversed()
  } catch {
    return [] // the first session
  }
}
