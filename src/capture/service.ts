import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureFailed, ProcessId } from '../model.ts'
import { continueIfStopped } from './continue-if-stopped.ts'
import { isUnstoppable } from './gate.ts'
import { explainGdb } from './gdb-commands.ts'
import type { GdbAnswer, GdbSession } from './gdb-session.ts'
import type { Interpreter } from './interpreter.ts'
import type { Lease } from './lease.ts'
import type { ProcessMemory } from './process-memory.ts'
import { readStat } from './read-stat.ts'
import type { Stub } from './stub-file.ts'
import { type TargetRecord, writeRecord } from './target-record.ts'
import { listThreads } from './threads-at-rest.ts'

const STOPPABLE_WITHIN_MS = 500

/** The service as one capture sees it. `record`, `pauseMs` and `stops` change as the capture goes on. */
export type Service = {
  readonly id: ProcessId
  readonly procRoot: string
  readonly runDir: string
  readonly gdb: GdbSession
  /** How long gdb may hold the service before it is killed. */
  readonly gdbTimeoutMs: number
  readonly memory: ProcessMemory
  readonly interpreter: Interpreter
  readonly stub: Stub
  readonly lease: Lease
  record: TargetRecord
  /** All stops so far. */
  pauseMs: number
}

/**
 * One stop of the service by gdb. The record says so while it lasts, and afterwards the service is made sure to run:
 * a gdb that was killed right after attaching leaves it stopped.
 */
export async function stopAndRun(
  service: Service,
  commands: readonly string[],
): Promise<string | CaptureFailed> {
  const blocked = await awaitStoppable(service)
  if (blocked) return blocked
  writeRecord(service.runDir, { ...service.record, attaching: true })
  const answer = await service.gdb.run(commands, service.gdbTimeoutMs)
  await continueIfStopped(service.procRoot, service.id.pid, answer.kind === 'answer')
  writeRecord(service.runDir, service.record)
  if (answer.kind === 'answer') service.pauseMs += answer.ms
  return answer.kind === 'answer' && answer.output.includes('pyheap-') && isComplete(answer.output)
    ? answer.output
    : explain(answer)
}

/** A thread in the kernel's hands cannot be stopped, and gdb would hold all others until it can. */
async function awaitStoppable({ procRoot, id }: Service): Promise<CaptureFailed | undefined> {
  for (let waited = 0; waited < STOPPABLE_WITHIN_MS; waited += 20) {
    const states = listThreads(procRoot, id.pid).map(
      (tid) => readStat(procRoot, `${id.pid}/task/${tid}`)?.state,
    )
    if (states.every((state) => state === undefined || !isUnstoppable(state))) return undefined
    if (states[0] === 'T' || states[0] === 't')
      return { kind: 'failed', reason: 'stopped', detail: 'the process was stopped meanwhile' }
    await sleep(20)
  }
  return {
    kind: 'failed',
    reason: 'not-capturable-state',
    detail: 'one of its threads waits in the kernel and cannot be stopped (state D)',
    hint: 'it waits for a device, a file system or a vfork; the capture is tried again later',
  }
}

/** The last command of every operation prints `pyheap-<what> …` before the session's own `pyheap-done`. */
const isComplete = (output: string): boolean => /^pyheap-(?!done)/m.test(output)

function explain(answer: GdbAnswer): CaptureFailed {
  switch (answer.kind) {
    case 'timed-out':
      return {
        kind: 'failed',
        reason: 'gdb-timed-out',
        detail: 'gdb did not get hold of the process in time and was ended; the process runs on',
      }
    case 'ended':
      return { kind: 'failed', reason: 'gdb-failed', detail: `gdb ended: ${lastWords(answer.output)}` }
    case 'answer': {
      const reason = explainGdb(answer.output)
      return { kind: 'failed', reason, detail: `gdb: ${lastWords(answer.output)}`, hint: hintFor(reason) }
    }
    default:
      return answer satisfies never
  }
}

const hintFor = (reason: string): string | undefined =>
  reason === 'not-permitted'
    ? 'run as root; `sysctl kernel.yama.ptrace_scope` must not be 3, and the daemon needs CAP_SYS_PTRACE'
    : undefined

const lastWords = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('pyheap-') && !line.startsWith('warning:'))
    .slice(-3)
    .join(' ')
    .slice(0, 300)
