import { execFile } from 'node:child_process'
import { NOTICE_KINDS } from '../model.ts'
import { journalEntry } from '../report/journal-entry.ts'
import type { Receiver } from './deliver.ts'

/** Writes notices into the journal with fields and a MESSAGE_ID, which a line on stderr cannot have. */
export const journalReceiver = (daemonPid: number): Receiver => ({
  name: 'journal',
  on: NOTICE_KINDS,
  tell: (notice) =>
    new Promise((resolve) => {
      const child = execFile('logger', ['--journald'], { timeout: TIMEOUT_MS }, (error) =>
        resolve(error === null ? undefined : error.message.slice(0, 200)),
      )
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(journalEntry(notice, daemonPid))
    }),
})

const TIMEOUT_MS = 10_000
