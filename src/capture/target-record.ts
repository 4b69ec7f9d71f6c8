import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ProcessId } from '../model.ts'

/**
 * What is kept about a process between captures, in the run directory, which a reboot empties: where our stub
 * lies, and whether gdb may be attached at this moment. It is written before gdb attaches, so that whoever finds it
 * after a crash knows what to mend.
 */
const TargetRecord = z.object({
  process: z.object({ bootId: z.string(), pid: z.number().int(), startTicks: z.number() }),
  exchange: z.number().optional(),
  code: z.number().optional(),
  /** How many pending calls were put into the interpreter's queue. */
  queued: z.number(),
  attaching: z.boolean(),
  /** The token of our lease while a capture goes on. */
  lease: z.number().optional(),
  /** The snapshots of this process are adopted by another Python process, which is not to see them. */
  isAdoptedByPython: z.boolean().optional(),
  /** The snapshot's pid and start time while there is one. */
  snapshot: z.object({ pid: z.number().int(), startTicks: z.number() }).optional(),
})
export type TargetRecord = z.infer<typeof TargetRecord>

const fileOf = (runDir: string, { pid, startTicks }: ProcessId): string =>
  join(runDir, 'targets', `${pid}-${startTicks}.json`)

/** The record of a process; a fresh one when there is none or it makes no sense. */
export function readRecord(runDir: string, process: ProcessId): TargetRecord {
  return parseRecord(fileOf(runDir, process)) ?? { process, queued: 0, attaching: false }
}

export function writeRecord(runDir: string, record: TargetRecord): void {
  const file = fileOf(runDir, record.process)
  mkdirSync(join(runDir, 'targets'), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** What recovery has to know of a process; undefined when there is none. */
export type LookAtProcess = (
  pid: number,
) => { readonly startTicks: number; readonly state: string; readonly tracerPid: number } | undefined

/** What was done about what a killed daemon left behind. */
export type Recovered =
  | { readonly kind: 'continued'; readonly pid: number }
  | { readonly kind: 'snapshot-killed'; readonly pid: number }

/**
 * Mends what a daemon that was killed in the middle of a capture left behind: a service that gdb stopped and nobody
 * continued, a snapshot that nobody reads. Forgets processes that are gone.
 */
export function recover(
  runDir: string,
  look: LookAtProcess,
  kill: (pid: number, signal: 'SIGCONT' | 'SIGKILL') => void,
): Recovered[] {
  const directory = join(runDir, 'targets')
  if (!existsSync(directory)) return []
  return readdirSync(directory).flatMap((name): Recovered[] => {
    const file = join(directory, name)
    const record = parseRecord(file)
    const seen = record && look(record.process.pid)
    const done: Recovered[] = []
    const { snapshot } = record ?? {}
    if (snapshot && look(snapshot.pid)?.startTicks === snapshot.startTicks) {
      kill(snapshot.pid, 'SIGKILL')
      done.push({ kind: 'snapshot-killed', pid: snapshot.pid })
    }
    if (!record || seen?.startTicks !== record.process.startTicks) rmSync(file, { force: true })
    else {
      if (record.attaching && seen.state === 'T' && seen.tracerPid === 0) {
        kill(record.process.pid, 'SIGCONT')
        done.push({ kind: 'continued', pid: record.process.pid })
      }
      const { snapshot: _dead, ...rest } = record
      writeRecord(runDir, { ...rest, attaching: false })
    }
    return done
  })
}

function parseRecord(file: string): TargetRecord | undefined {
  try {
    return TargetRecord.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    return undefined // not there, or cut off by a crash
  }
}
