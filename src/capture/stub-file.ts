import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** The compiled native code: src/stub/service-*.json and snapshot-*.json. */
export type Stub = {
  readonly service: {
    readonly code: Buffer
    /** Offsets in it. */
    readonly pendingEntry: number
    readonly interruptEntry: number
    readonly inputs: number
  }
  readonly snapshot: { readonly code: Buffer; readonly entry: number }
  readonly live: { readonly code: Buffer; readonly entry: number }
}

const ServiceFile = z.object({
  code: z.base64(),
  symbols: z.object({
    pyheap_pending_entry: z.number(),
    pyheap_interrupt_entry: z.number(),
    pyheap_inputs: z.number(),
  }),
})
const SnapshotFile = z.object({ code: z.base64(), symbols: z.object({ pyheap_snapshot: z.number() }) })
const LiveFile = z.object({ code: z.base64(), symbols: z.object({ pyheap_live: z.number() }) })

/** Reads the native code that `npm run stub` has compiled into `directory`. */
export function readStub(directory: string): Stub {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(directory, name), 'utf8'))
  const service = ServiceFile.parse(read('service-x86_64.json'))
  const snapshot = SnapshotFile.parse(read('snapshot-x86_64.json'))
  const live = LiveFile.parse(read('live-x86_64.json'))
  return {
    service: {
      code: Buffer.from(service.code, 'base64'),
      pendingEntry: service.symbols.pyheap_pending_entry,
      interruptEntry: service.symbols.pyheap_interrupt_entry,
      inputs: service.symbols.pyheap_inputs,
    },
    snapshot: {
      code: Buffer.from(snapshot.code, 'base64'),
      entry: snapshot.symbols.pyheap_snapshot,
    },
    live: { code: Buffer.from(live.code, 'base64'), entry: live.symbols.pyheap_live },
  }
}
