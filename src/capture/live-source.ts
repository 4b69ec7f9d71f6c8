import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A source of the live engine with what is asked of it; JSON of strings and numbers is Python too. */
export const readLiveSource = (file: string, request: Readonly<Record<string, string | number>>): Buffer =>
  Buffer.concat([Buffer.from(`REQUEST = ${JSON.stringify(request)}\n`), readFileSync(file)])

/** What counts the heap in the service itself; it names types as the payload does. */
export const readCountSource = (liveDirectory: string, payloadDirectory: string): Buffer =>
  Buffer.concat([
    readFileSync(join(payloadDirectory, 'names.py')),
    Buffer.from('\n'),
    readFileSync(join(liveDirectory, 'count.py')),
  ])
