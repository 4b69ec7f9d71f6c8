import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { GDB_ARGUMENTS, warmUp } from './gdb-commands.ts'

export type GdbAnswer =
  | { readonly kind: 'answer'; readonly output: string; readonly ms: number }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'ended'; readonly output: string }

/**
 * One gdb that is started and warmed up before the service is touched. It is told what to do through its standard
 * input: when the daemon dies, gdb finishes the command it is at, lets go of the service and ends.
 */
export class GdbSession {
  readonly #process
  readonly #ended: Promise<void>
  #output = ''
  #hasEnded = false
  #commandCount = 0
  #onOutput: () => void = () => undefined

  constructor(gdb: string) {
    this.#process = execa(gdb, [...GDB_ARGUMENTS], {
      detached: true, // its own process group: a Ctrl-C at the daemon's terminal must not reach it
      cleanup: false, // and it outlives the daemon for the moment that it needs
      reject: false,
      buffer: false,
      stdin: 'pipe',
      all: true,
      extendEnv: false,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', HOME: '/nonexistent' },
    })
    this.#process.stdin.on('error', () => undefined) // gdb has ended; `#ended` tells
    this.#process.all.setEncoding('latin1')
    this.#process.all.on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-65536)
      this.#onOutput()
    })
    this.#ended = this.#process.then(() => {
      this.#hasEnded = true
      this.#onOutput()
    })
    this.#shield()
  }

  /** While gdb holds a service, nobody else may take its turn on the processor, and the OOM killer not its life. */
  #shield(): void {
    try {
      writeFileSync(`/proc/${this.#process.pid}/oom_score_adj`, '-900')
      setPriority(this.#process.pid ?? 0, constants.priority.PRIORITY_HIGHEST)
    } catch {
      // not permitted without CAP_SYS_RESOURCE, or gdb could not be started: the first command will tell
    }
  }

  /** Whether it has ended, by itself or killed. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /**
   * Attaches to a throw-away process of ours, so that what gdb does only once is done. That process ends with us: it
   * reads a pipe that nobody else writes to.
   */
  async warmUp(timeoutMs: number): Promise<GdbAnswer> {
    const dummy = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
    dummy.stdin.on('error', () => undefined)
    try {
      return await this.run(warmUp(dummy.pid ?? 0), timeoutMs)
    } finally {
      dummy.kill('SIGKILL')
    }
  }

  /** Defines a gdb command for later. */
  define(lines: readonly string[]): void {
    this.#process.stdin.write(`${lines.join('\n')}\n`)
  }

  /**
   * Runs commands as one: an error ends them, and the process is let go in any case. A gdb that does not answer in
   * time is killed with its group.
   */
  async run(commands: readonly string[], timeoutMs: number): Promise<GdbAnswer> {
    const done = `pyheap-done ${++this.#commandCount}`
    this.#output = ''
    const began = performance.now()
    const isDone = new Promise<void>((resolve) => {
      this.#onOutput = (): void => {
        if (this.#hasEnded || this.#output.includes(done)) resolve()
      }
    })
    this.define(['define pyheap_run', ...commands, 'end', 'pyheap_run', 'detach', `echo ${done}\\n`])
    this.#onOutput()
    const timeout = new AbortController()
    const timedOut = sleep(timeoutMs, true, { signal: timeout.signal }).catch(() => false)
    const isLate = await Promise.race([isDone.then(() => false), timedOut])
    timeout.abort()
    if (isLate) {
      this.kill()
      return { kind: 'timed-out' }
    }
    if (this.#hasEnded) return { kind: 'ended', output: this.#output }
    return { kind: 'answer', output: this.#output, ms: performance.now() - began }
  }

  /** Lets gdb end by itself, which it does between two commands. */
  async close(): Promise<void> {
    this.#process.stdin.end()
    const isLate = await Promise.race([this.#ended.then(() => false), sleep(2000, true, { ref: false })])
    if (isLate) this.kill()
  }

  /** Ends gdb and what it has forked at once. Only when it is stuck: a process that it holds may be left stopped. */
  kill(): void {
    try {
      if (this.#process.pid !== undefined) process.kill(-this.#process.pid, 'SIGKILL')
    } catch {
      // it has ended already
    }
  }
}
