import { constants, openSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed } from '../model.ts'
import { EXCHANGE, EXCHANGE_FIELDS_BYTES, type Exchange, decodeExchange } from './exchange.ts'
import { ProcessMemory } from './process-memory.ts'
import type { Service } from './service.ts'
import { type SnapshotCgroup, moveToCgroup } from './snapshot-cgroup.ts'
import type { Taken } from './take-snapshot.ts'
import { type WorkspaceContent, encodeWorkspace } from './workspace.ts'

/** A snapshot that only waits for its go. */
export type Prepared = {
  readonly kind: 'prepared'
  /** Descriptor of what it writes, without blocking; whoever gets it closes it. */
  readonly output: number
  /** Gives the go, once. */
  readonly start: () => void
}

/** The snapshot's own ends, as enum descriptor in src/stub/service.h has them. */
const FD = { readByDaemon: 10, writtenByDaemon: 13 } as const
const READY_WITHIN_MS = 5000
/**
 * On a busy CPU (two hogs, a service that writes all over its heap) a snapshot lived 1.0 s at 0, 2.8 s at 5, 8 s at 10
 * and 45 s at 19, while the service lost a second or two of work at any of them: beyond 5 it only has its pages twice
 * for longer, and the census comes near its time limit.
 */
const NICENESS = 5

type Furnishing = { readonly workspace: WorkspaceContent; readonly cgroup: SnapshotCgroup }

/**
 * Makes a fresh snapshot the preferred victim of the OOM killer, charges it to our own cgroup and gives it what it is to
 * run. The caller ends it.
 */
export async function prepareSnapshot(
  service: Service,
  { pid, cloned }: Taken,
  { workspace, cgroup }: Furnishing,
): Promise<Prepared | CaptureFailed> {
  const { procRoot, interpreter, stub } = service
  const { exchange } = cloned.place
  writeFileSync(`${procRoot}/${pid}/oom_score_adj`, '1000')
  setPriority(pid, NICENESS)
  const unmoved = move(pid, cgroup)
  if (unmoved) return unmoved
  const memory = new ProcessMemory(procRoot, pid)
  try {
    const made = await awaitReady(memory, exchange)
    if (!made) return { kind: 'failed', reason: 'snapshot-died', detail: 'the snapshot did not get ready' }
    memory.write(made.workspace, encodeWorkspace(workspace, made.workspace, interpreter))
    memory.write(made.code, stub.snapshot.code)
    memory.write(exchange + EXCHANGE.code, toWord(made.code + stub.snapshot.entry))
  } catch (error) {
    memory.close()
    throw error
  }
  const output = openSync(
    `${procRoot}/${pid}/fd/${FD.readByDaemon}`,
    constants.O_RDONLY | constants.O_NONBLOCK,
  )
  const start = (): void => {
    memory.writeU32(exchange + EXCHANGE.go, 1)
    memory.close()
  }
  return { kind: 'prepared', output, start }
}

/** Opens the pipe that a prepared snapshot reads. Before its go: it closes its own end then. */
export const openInput = (procRoot: string, pid: number): number =>
  openSync(`${procRoot}/${pid}/fd/${FD.writtenByDaemon}`, constants.O_WRONLY)

/** Ends a snapshot at once. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}

function move(pid: number, cgroup: SnapshotCgroup): CaptureFailed | undefined {
  if (cgroup.kind === 'none') return undefined
  try {
    if (cgroup.kind === 'failed') throw new Error(cgroup.detail)
    moveToCgroup(cgroup.path, pid)
    return undefined
  } catch (error) {
    return {
      kind: 'failed',
      reason: 'not-permitted',
      detail: `the snapshot could not be moved out of the service's cgroup: ${String(error)}`,
      hint: 'in it the copied pages would count against the service; `pyheapctl doctor` says what is missing',
    }
  }
}

async function awaitReady(memory: ProcessMemory, exchange: number): Promise<Exchange | undefined> {
  const end = performance.now() + READY_WITHIN_MS
  while (performance.now() < end) {
    const told = decodeExchange(memory.read(exchange, EXCHANGE_FIELDS_BYTES))
    if (told.ready) return told
    await sleep(1)
  }
  return undefined
}

function toWord(value: number): Buffer {
  const word = Buffer.alloc(8)
  word.writeBigUInt64LE(BigInt(value))
  return word
}
