import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Stub } from './service.ts'

const StubFile = z.object({
  code: z.base64(),
  symbols: z.object({
    pyheap_pending_entry: z.number(),
    pyheap_rest_entry: z.number(),
    pyheap_slots: z.number(),
  }),
})

/** Reads the compiled stub that `npm run stub` has made. */
export function readStub(file: string): Stub {
  const { code, symbols } = StubFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  return {
    code: Buffer.from(code, 'base64'),
    pendingEntry: symbols.pyheap_pending_entry,
    restEntry: symbols.pyheap_rest_entry,
    slots: symbols.pyheap_slots,
  }
}
