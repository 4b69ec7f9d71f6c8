import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf, readStat } from '../setup/service.ts'

const READY_WITHIN_MS = 60_000
const ENDS_WITHIN_MS = 20_000

/** What a target says when it may be captured. */
export type Ready = {
  /** Its heartbeat goes on by itself. */
  readonly beating: boolean
  /** Its threads, children and descriptors stay as they are. */
  readonly steady: boolean
  /** The process to capture, where that is not the one that was started. */
  readonly worker: number | null
}

/** How a target has ended. */
export type Ended =
  | { readonly kind: 'reported'; readonly bad: readonly string[]; readonly continued: number }
  | { readonly kind: 'crashed'; readonly how: string }
  | { readonly kind: 'hung'; readonly where: string }

/** One program of test/targets/torture, with a heartbeat that is read from a file of its own. */
export class Target {
  readonly #process: ChildProcess
  readonly #folder = mkdtempSync(join(tmpdir(), 'pyheap-heartbeat-'))
  readonly #heartbeat: number
  readonly #ended: Promise<unknown>
  readonly #isInit: boolean
  #output = ''

  constructor(python: string, state: string, surroundings: string) {
    const program = new URL('../targets/torture', import.meta.url).pathname
    const file = join(this.#folder, 'heartbeat')
    writeFileSync(file, Buffer.alloc(4096))
    this.#heartbeat = openSync(file, 'r+')
    this.#isInit = surroundings === 'init'
    this.#process = spawn(python, ['-B', '-X', 'faulthandler', program, state, surroundings], {
      stdio: ['ignore', 'pipe', 'pipe', this.#heartbeat],
    })
    this.#process.stdout?.on('data', (data) => (this.#output += String(data)))
    this.#process.stderr?.on('data', (data) => (this.#output += String(data)))
    this.#ended = once(this.#process, 'close')
  }

  /** The service itself: the process that was started, or PID 1 of the container that it has made. */
  get pid(): number {
    const started = this.#process.pid ?? 0
    return this.#isInit ? Number(childrenOf(started)[0]?.split(' ')[0] ?? 0) : started
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** Waits until it may be captured. */
  async ready(): Promise<Ready> {
    const end = performance.now() + READY_WITHIN_MS
    for (;;) {
      const line = /^\{"ready".*\}$/m.exec(this.#output)?.[0]
      if (line !== undefined) return JSON.parse(line) as Ready
      if (!this.isAlive || performance.now() > end) throw new Error(`never got ready: ${this.#output}`)
      await sleep(5)
    }
  }

  beats(): bigint {
    const bytes = Buffer.alloc(8)
    readSync(this.#heartbeat, bytes, 0, 8, 0)
    return bytes.readBigUInt64LE()
  }

  /** Whether its heart beats, within 10 seconds. */
  async isBeating(): Promise<boolean> {
    const before = this.beats()
    for (let waited = 0; waited < 10_000 && this.isAlive; waited += 5) {
      await sleep(5)
      if (this.beats() !== before) return true
    }
    return false
  }

  signal(name: NodeJS.Signals): void {
    try {
      process.kill(this.pid || (this.#process.pid ?? 0), name)
    } catch {
      // it has ended by itself, which `end` finds out
    }
  }

  /** Asks it to end, and answers what it says. */
  async end(): Promise<Ended> {
    if (this.isAlive) this.signal('SIGTERM')
    const isLate = await this.#within(ENDS_WITHIN_MS)
    const where = isLate ? await this.#whereIsIt() : ''
    if (isLate) await this.kill()
    closeSync(this.#heartbeat)
    rmSync(this.#folder, { recursive: true })
    return isLate ? { kind: 'hung', where } : this.#conclude()
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    if (this.isAlive) this.#process.kill('SIGKILL')
    await this.#within(5000)
  }

  async #within(ms: number): Promise<boolean> {
    const late = new AbortController()
    const isLate = sleep(ms, true, { signal: late.signal }).catch(() => false)
    const answer = await Promise.race([this.#ended.then(() => false), isLate])
    late.abort()
    return answer
  }

  #conclude(): Ended {
    const { exitCode, signalCode } = this.#process
    const line = this.#output.trim().split('\n').at(-1) ?? ''
    if (exitCode === 0 && line.startsWith('{"beats"')) {
      const { bad, continued } = JSON.parse(line) as { bad: string[]; continued: number }
      return { kind: 'reported', bad, continued }
    }
    return { kind: 'crashed', how: `${signalCode ?? `exit code ${exitCode}`}: ${this.#output.slice(-600)}` }
  }

  /** Its state, and the stack that faulthandler prints when it is aborted. */
  async #whereIsIt(): Promise<string> {
    const { pid } = this
    const state = /\) (\S)/.exec(readStat(pid))?.[1]
    this.signal('SIGABRT')
    await this.#within(2000)
    return `${pid} in state ${state} after ${this.beats()} beats: ${this.#output.slice(-600)}`
  }
}
