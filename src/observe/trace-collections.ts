import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Collection, Collections } from '../model.ts'
import { onLines } from './probe/lines.ts'
import { endBpftrace, lastComplaint, spawnBpftrace } from './probe/spawn-bpftrace.ts'

/** The file of the interpreter that python-gc.bt names; another one takes its place. */
const NAMED = '/usr/bin/python3'
const ATTACHES_WITHIN_MS = 10_000
/** More are counted by nobody: the collector runs all the time. */
const MAX_COLLECTIONS = 10_000

export type CollectionsOptions = {
  readonly procRoot: string
  /** bpf/python-gc.bt */
  readonly program: string
  readonly pid: number
  /** The file that holds the interpreter, as the process sees it. */
  readonly interpreter: string
  /** How long to listen. */
  readonly forMs: number
}

/** Listens to the garbage collector of one process, through the probes that its interpreter was built with. */
export async function traceCollections(options: CollectionsOptions): Promise<Collections> {
  const { procRoot, program, pid, interpreter, forMs } = options
  // bpftrace splits probes at colons and blanks, and ends names at quotes.
  if (!/^[\w./+-]+$/.test(interpreter))
    return { kind: 'failed', detail: `${interpreter} is no name for bpftrace` }
  const file = `${procRoot}/${pid}/root${interpreter}`
  const script = readFileSync(program, 'utf8').replaceAll(`usdt:${NAMED}:`, `usdt:${file}:`)
  const child = spawnBpftrace(['--no-warnings', '-p', String(pid), '-e', script])
  const collections: Collection[] = []
  let complaints = ''
  const ended = new Promise<void>((resolve) => {
    child.on('error', ({ message }) => {
      complaints += message
      resolve()
    })
    child.on('close', () => resolve())
  })
  const attached = new Promise<void>((resolve) => {
    onLines(child.stdout, (line) => {
      if (line.startsWith('Attaching ')) resolve()
      const collection = parseCollection(line)
      if (collection && collections.length < MAX_COLLECTIONS) collections.push(collection)
    })
  })
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => (complaints = (complaints + text).slice(-2000)))
  await Promise.race([attached, ended, sleep(ATTACHES_WITHIN_MS, undefined, { ref: false })])
  const began = performance.now()
  const isEarly = await Promise.race([ended.then(() => true), sleep(forMs, false, { ref: false })])
  const ms = Math.round(performance.now() - began)
  endBpftrace(child)
  await ended
  if (isEarly && collections.length === 0 && ms < forMs / 2)
    return { kind: 'failed', detail: explain(lastComplaint(complaints)) }
  return { kind: 'traced', ms, collections }
}

/** What bpftrace says of a file without the probes differs by version, and never says that. */
const explain = (complaint = 'bpftrace has ended'): string =>
  complaint.includes('gc__')
    ? `the interpreter was built without DTrace probes, as most are (${complaint})`
    : complaint

/** A line of python-gc.bt: `12034  4242  gc generation 2   15210 us  0 unreachable`. Exported for its tests. */
export function parseCollection(line: string): Collection | undefined {
  const [, atMs, generation, microseconds, unreachable] =
    /^(\d{1,15}) +\d{1,10} +gc generation (\d) +(\d{1,15}) us +(\d{1,15}) unreachable\s*$/.exec(line) ?? []
  if (atMs === undefined) return undefined
  return {
    atMs: Number(atMs),
    generation: Number(generation),
    microseconds: Number(microseconds),
    unreachable: Number(unreachable),
  }
}
