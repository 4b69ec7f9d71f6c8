import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openImage } from '../../src/capture/mapped-file.ts'
import { type Mapping, parseMaps } from '../../src/proc/maps.ts'

/** A program under test that runs until it is told to stop. */
export class RunningService {
  readonly process: ChildProcess
  output = ''

  constructor(
    command: string,
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ) {
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    this.process.stdout?.on('data', (data) => (this.output += String(data)))
    this.process.stderr?.on('data', (data) => (this.output += String(data)))
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  get isAlive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }

  /** Waits until the service has printed `text`. */
  async said(text: string, withinMs = 20_000): Promise<void> {
    const end = performance.now() + withinMs
    while (!this.output.includes(text)) {
      if (!this.isAlive || performance.now() > end) throw new Error(`never said ${text}: ${this.output}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Asks it to end, waits, and answers what it printed. */
  async stop(): Promise<string> {
    if (this.isAlive) {
      const ended = once(this.process, 'close')
      this.process.kill('SIGTERM')
      const killer = setTimeout(() => this.process.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(killer)
    }
    return this.output
  }
}

/** Starts test/targets/NAME.py and waits until it is ready. */
export async function startTarget(
  python: string,
  name: string,
  ...args: readonly string[]
): Promise<RunningService> {
  const file = new URL(`../targets/${name}.py`, import.meta.url).pathname
  const service = new RunningService(python, ['-X', 'faulthandler', file, ...args])
  await service.said('ready')
  return service
}

/**
 * A digest of all code that a process has mapped from files, as it is in its memory: up to the end of each file's code,
 * for the rest of its last page is where captures put theirs.
 */
export function digestCode(pid: number): string {
  const hash = createHash('sha256')
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  for (const mapping of parseMaps(readFileSync(`/proc/${pid}/maps`, 'latin1'))) {
    if (!mapping.permissions.includes('x') || !mapping.path.startsWith('/')) continue
    const bytes = Buffer.alloc(codeBytesOf(pid, mapping))
    hash.update(bytes.subarray(0, readSync(memory, bytes, 0, bytes.length, mapping.start)))
  }
  closeSync(memory)
  return hash.digest('hex')
}

function codeBytesOf(pid: number, mapping: Mapping): number {
  const image = openImage('/proc', pid, mapping)
  if (!image) return mapping.end - mapping.start
  closeSync(image.fd)
  const load = image.loads.find(
    ({ isExecutable, offset }) => isExecutable && offset - (offset % 4096) === mapping.offset,
  )
  return load ? load.size + (load.offset % 4096) : mapping.end - mapping.start
}

/** Processes that a capture could leave behind: snapshots and gdbs that are not zombies waiting for init. */
export function strayProcesses(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readStat(pid))
    .filter((stat) => /^\d+ \((pyheap-snap-[0-9a-f]{3}|gdb)\) [^Z]/.test(stat))
}

/** Children of a process, zombies included. */
export function childrenOf(pid: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(name))
    .filter((stat) => stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[1] === String(pid))
}

export function readStat(pid: string | number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return ''
  }
}
