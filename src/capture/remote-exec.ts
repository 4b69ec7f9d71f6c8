import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed } from '../model.ts'
import { DEBUG_OFFSETS_BYTES, type DebugOffsets, parseDebugOffsets } from './debug-offsets.ts'
import { openExchangeDirectory } from './exchange-directory.ts'
import type { Service } from './service.ts'

/** A main thread that runs Python comes by within some milliseconds; one that waits in the kernel does not. */
const TAKEN_WITHIN_MS = 1000
const MOST_RESULT_BYTES = 2 * 2 ** 20
/** _PY_EVAL_PLEASE_STOP… of 3.14: the bit that makes the interpreter look for a script. */
const LOOK_FOR_SCRIPT = 1n << 5n

export type RanRemotely =
  | { readonly kind: 'ran'; readonly result: Buffer }
  /** It cannot be had this way, and nothing was changed. */
  | { readonly kind: 'not-this-way' }

/**
 * Runs Python source in a service through the interface that CPython 3.14 has for it (PEP 768, sys.remote_exec): the
 * interpreter itself takes the script up, and nothing is stopped. Fails where its owner has switched that off.
 */
export async function runRemotely(
  service: Service,
  source: Buffer,
  withinMs: number,
): Promise<RanRemotely | CaptureFailed> {
  const found = findSupport(service)
  if (found === undefined) return { kind: 'not-this-way' }
  if (!found.isEnabled)
    return {
      kind: 'failed',
      reason: 'not-permitted',
      detail: 'its owner has switched remote debugging off (-X disable-remote-debug, or the environment)',
      hint: 'code in a snapshot of it needs no such permission',
    }
  const directory = openExchangeDirectory(service.procRoot, service.id.pid, ownerOf(service))
  if (!directory) return { kind: 'not-this-way' }
  try {
    directory.write('script.py', Buffer.concat([source, Buffer.from(tellIn(directory.path))]))
    arm(service, found, `${directory.path}/script.py`)
    const began = performance.now()
    while (performance.now() - began < TAKEN_WITHIN_MS && isPending(service, found)) await sleep(5)
    if (disarm(service, found)) return { kind: 'not-this-way' }
    while (performance.now() - began < withinMs) {
      const result = directory.read('result', MOST_RESULT_BYTES)
      if (result) return { kind: 'ran', result }
      await sleep(10)
    }
    return { kind: 'failed', reason: 'not-taken', detail: 'the code has not come to an end in time' }
  } finally {
    directory.remove()
  }
}

/** Behind the source, which leaves bytes in RESULT. */
const tellIn = (path: string): string =>
  `\nwith open("${path}/partial", "wb") as _file:\n    _file.write(RESULT)\n` +
  `import os as _os\n_os.rename("${path}/partial", "${path}/result")\n`

type Support = {
  readonly offsets: DebugOffsets
  /** The main thread's state. */
  readonly thread: number
  readonly isEnabled: boolean
}

function findSupport({ memory, interpreter }: Service): Support | undefined {
  const runtime = interpreter.addresses.get('_PyRuntime')
  if (interpreter.minor !== 14 || runtime === undefined) return undefined
  const offsets = parseDebugOffsets(memory.read(runtime, DEBUG_OFFSETS_BYTES))
  if (!offsets) return undefined
  const word = (address: number): number => Number(memory.read(address, 8).readBigUInt64LE())
  const main = word(runtime + offsets.interpretersHead)
  const thread = main === 0 ? 0 : word(main + offsets.mainThread)
  if (thread === 0) return undefined
  return { offsets, thread, isEnabled: memory.read(main + offsets.enabled, 4).readInt32LE() === 1 }
}

function arm({ memory }: Service, { offsets, thread }: Support, path: string): void {
  const text = Buffer.alloc(offsets.pathBytes)
  text.write(path)
  memory.write(thread + offsets.support + offsets.path, text)
  memory.writeU32(thread + offsets.support + offsets.pending, 1)
  const breaker = memory.read(thread + offsets.evalBreaker, 8)
  breaker.writeBigUInt64LE(breaker.readBigUInt64LE() | LOOK_FOR_SCRIPT)
  memory.write(thread + offsets.evalBreaker, breaker)
}

const isPending = ({ memory }: Service, { offsets, thread }: Support): boolean =>
  memory.read(thread + offsets.support + offsets.pending, 4).readInt32LE() !== 0

/** Takes the request back; false when it has been taken up. */
function disarm(service: Service, support: Support): boolean {
  if (!isPending(service, support)) return false
  const { offsets, thread } = support
  service.memory.writeU32(thread + offsets.support + offsets.pending, 0)
  return true
}

function ownerOf({ procRoot, id }: Service): { readonly uid: number; readonly gid: number } {
  const status = readFileSync(`${procRoot}/${id.pid}/status`, 'latin1')
  const effective = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+\\d+\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return { uid: effective('Uid'), gid: effective('Gid') }
}
