import type { CaptureFailed } from '../model.ts'
import { type Gdb, findGdb } from './find-gdb.ts'
import { GdbSession } from './gdb-session.ts'

/** Gives a gdb that is ready to attach, or says why there is none. Whoever gets it closes it. */
export type OpenGdb = () => Promise<GdbSession | CaptureFailed>

/** Starts and warms up a gdb of its own for everyone who asks; it is looked for on PATH once. */
export function createOpenGdb(timeoutMs: number): OpenGdb {
  let gdb: Gdb | undefined
  return async () => {
    if (!gdb) {
      const found = await findGdb()
      if (found.kind === 'failed') return found
      gdb = found
    }
    const session = new GdbSession(gdb.path)
    await session.warmUp(timeoutMs)
    return session
  }
}
