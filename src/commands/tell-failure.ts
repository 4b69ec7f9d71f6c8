import type { CaptureFailed } from '../model.ts'
import { EXIT } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

/** Tells why a process could not be looked into, and answers the exit code. */
export function tellFailure(
  { reason, detail, hint }: CaptureFailed,
  options: { readonly json?: boolean | undefined },
  terminal: Terminal,
): number {
  if (options.json === true) terminal.out(JSON.stringify({ failed: reason, detail, hint }))
  terminal.err(hint === undefined ? detail : `${detail}\n${hint}`)
  if (reason === 'gone') return EXIT.notFound
  return reason === 'not-root' ? EXIT.notRoot : EXIT.captureFailed
}
